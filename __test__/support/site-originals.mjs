// What a build without pixrace does with the imports that only pixrace answers: the originals, for a comparison. It is copied
// beside the sites, as site-child.mjs is.
import fs from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const QUERY = /\?(?:smallest|.*\bpicture)$/
const IMAGE = /\.(?:jpg|png|webp|gif)$/
const FILE_URL = /new URL\('([^']+)', import\.meta\.url\)/g

const pictureOf = url =>
  `export default { sources: [], img: { src: ${url}, width: 1440, height: 810 }, placeholder: null }`

/** A plugin for Vite and Rollup. Rollup on its own knows no images, so there it answers all of them. */
export function originals() {
  const emit = (context, file) =>
    context.emitFile({ type: 'asset', name: basename(file), source: fs.readFileSync(file) })
  const urlOf = (context, file) => `import.meta.ROLLUP_FILE_URL_${emit(context, file)}`
  return {
    name: 'originals',
    enforce: 'pre',
    resolveId: (source, importer) => (QUERY.test(source) ? resolve(dirname(importer), source) : null),
    load(id) {
      const file = id.replace(/\?.*/, '')
      if (!IMAGE.test(file) || (id === file && this.meta.viteVersion)) return null
      const url = this.meta.viteVersion ? `"__VITE_ASSET__${emit(this, file)}__"` : urlOf(this, file)
      return id.endsWith('picture') ? pictureOf(url) : `export default ${url}`
    },
    transform(code, id) {
      if (this.meta.viteVersion || !code.includes('new URL')) return null
      return code.replace(FILE_URL, (_, path) => `new URL(${urlOf(this, resolve(dirname(id), path))})`)
    },
  }
}

/** The same for webpack and Rspack, which know all but pictures. */
export const originalLoader = {
  resourceQuery: /picture$/,
  type: 'javascript/auto',
  loader: fileURLToPath(new URL('./site-originals-loader.cjs', import.meta.url)),
}
