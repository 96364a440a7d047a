// The plugin for Rollup: images that are imported or named by `new URL(…, import.meta.url)`, and those of other plugins.
import { promises as fs } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import MagicString from 'magic-string'
import type { Plugin, PluginContext } from 'rollup'
import type { PixraceOptions } from './core/options.js'
import { parseImageQuery } from './core/picture.js'
import { Session } from './core/session.js'
import { sourceName } from './core/source.js'
import { finish, loadQuery, processBundle } from './rollup-family.js'

export type { PixraceOptions } from './core/options.js'

const urlOf = (referenceId: string) => `import.meta.ROLLUP_FILE_URL_${referenceId}`

async function emitImage(context: PluginContext, session: Session, file: string): Promise<string> {
  const source = await fs.readFile(file)
  context.addWatchFile(file)
  const originalFileName = sourceName(session.root, file)
  return urlOf(context.emitFile({ type: 'asset', name: basename(file), originalFileName, source }))
}

const FILE_URL = /\bnew\s+URL\(\s*(?:"([^"\\\n]+)"|'([^'\\\n]+)'|`([^`\\$]+)`)\s*,\s*import\.meta\.url\s*,?\s*\)/g

/** `new URL('./hero.jpg', import.meta.url)` in `code`, outside of comments and strings. */
function fileUrls(context: PluginContext, code: string): { start: number; end: number; path: string }[] {
  const found = [...code.matchAll(FILE_URL)].map(match => {
    const path = match[1] ?? match[2] ?? match[3] ?? ''
    return { start: match.index, end: match.index + match[0].length, path }
  })
  if (found.length === 0) return []
  const starts = new Set<number>()
  const walk = (node: unknown) => {
    if (Array.isArray(node)) for (const each of node) walk(each)
    else if (typeof node === 'object' && node !== null) {
      const { type, start } = node as { type?: string; start?: number }
      if (type === 'NewExpression' && start !== undefined) starts.add(start)
      for (const child of Object.values(node)) walk(child)
    }
  }
  walk(context.parse(code))
  return found.filter(({ start }) => starts.has(start))
}

/** Throws `ERR_PIXRACE_INVALID_OPTION`. */
export function pixrace(options?: PixraceOptions): Plugin {
  const session = new Session(options, process.cwd())
  const isImage = (file: string) => !file.startsWith('\0') && session.filter.isImage(sourceName(session.root, file))
  return {
    name: 'pixrace',
    buildStart: () => session.begin(),
    async load(id) {
      const module = await loadQuery(this, session, id, urlOf)
      if (module !== null) return module
      return isImage(id) && !id.includes('?') ? `export default ${await emitImage(this, session, id)}\n` : null
    },
    async resolveId(source, importer, { isEntry }) {
      const asked = parseImageQuery(source)
      if (!asked) return null
      const resolved = await this.resolve(asked.file, importer, { isEntry, skipSelf: true })
      const file = resolved?.id ?? (importer ? resolve(dirname(importer), asked.file) : resolve(asked.file))
      return `${file}${source.slice(asked.file.length)}`
    },
    async transform(code, id) {
      if (!code.includes('import.meta.url') || !code.includes('new URL')) return null
      const text = new MagicString(code)
      for (const { start, end, path } of fileUrls(this, code)) {
        const file = resolve(dirname(id), path)
        if (!path.startsWith('.') || !isImage(file)) continue
        text.update(start, end, `new URL(${await emitImage(this, session, file)})`)
      }
      return text.hasChanged() ? { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) } : null
    },
    async closeBundle() {
      if (!this.meta.watchMode) await session.close()
    },
    closeWatcher: () => session.close(),
    // The bytes, and so the names, of a chunk's images follow from it.
    augmentChunkHash: () => session.salt,
    generateBundle: {
      order: 'post',
      async handler(outputOptions, bundle) {
        await processBundle(this, session, outputOptions, bundle)
        await finish(this, session)
      },
    },
  }
}

export default pixrace
