import fs from 'node:fs'
import { rollupPluginHTML } from '@web/rollup-plugin-html'
import pixrace from 'pixrace/rollup'

// Rollup has no folder of files to copy: this puts those of public/ into the bundle.
const copyPublic = {
  name: 'copy-public',
  buildStart() {
    for (const fileName of fs.readdirSync('public')) {
      this.emitFile({ type: 'asset', fileName, source: fs.readFileSync(`public/${fileName}`) })
    }
  },
}

export default {
  input: 'index.html',
  output: {
    dir: 'dist',
    entryFileNames: '[name]-[hash].js',
    chunkFileNames: '[name]-[hash].js',
    assetFileNames: 'assets/[name]-[hash][extname]',
  },
  plugins: [
    rollupPluginHTML({ minify: true, externalAssets: ['postcard.jpg', 'site.webmanifest'] }),
    copyPublic,
    pixrace(),
  ],
}
