// One production build of a site, in a process of its own as on a command line: `node build-child.mjs <settings as JSON>`.
import { join } from 'node:path'
import { pluginsOf } from './build-tools.mjs'

async function viteBuild(root, plugins) {
  const { build } = await import('vite')
  // Nothing is inlined, so that all bytes of images are in files.
  await build({ root, configFile: false, logLevel: 'warn', plugins, build: { assetsInlineLimit: 0 } })
}

async function webpackBuild(root, plugins) {
  const { default: webpack } = await import('webpack')
  const compiler = webpack({
    mode: 'production',
    context: root,
    entry: './main.js',
    output: { path: join(root, 'dist'), assetModuleFilename: '[name]-[hash][ext]', clean: true },
    module: { rules: [{ test: /\.(jpe?g|png|webp)$/i, type: 'asset/resource' }] },
    cache: { type: 'filesystem', cacheDirectory: join(root, 'node_modules/.cache/webpack') },
    performance: { hints: false },
    plugins,
  })
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, found) => (error ? reject(error) : resolve(found)))
  })
  if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
  // The cache is written when the compiler is closed.
  await new Promise((resolve, reject) => compiler.close(error => (error ? reject(error) : resolve())))
}

const { root, bundler, tool, minScore } = JSON.parse(process.argv[2])
const plugins = await pluginsOf(tool, { bundler, root, minScore })
await (bundler === 'vite' ? viteBuild : webpackBuild)(root, plugins)
