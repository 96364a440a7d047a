// The plugin for Vite: builds are Rollup's (or Rolldown's) with files of Vite's own around them.
import { promises as fs } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { NormalizedOutputOptions, OutputBundle, PluginContext } from 'rollup'
import type { Plugin, ResolvedConfig } from 'vite'
import type { BundleImage } from './core/bundle.js'
import { type PixraceOptions, resolveOptions } from './core/options.js'
import { parseImageQuery } from './core/picture.js'
import { optimizePublic } from './core/public.js'
import { Session } from './core/session.js'
import { sizeOf, sourceName } from './core/source.js'
import { finish, imagesOf, loadQuery, processBundle } from './rollup-family.js'
import { DevImages, originalModule } from './vite-dev.js'

export type { PixraceOptions } from './core/options.js'

interface BuildEnvironment {
  config: {
    build: { emitAssets: boolean; copyPublicDir: boolean; write: boolean; outDir: string }
    publicDir: string
    root: string
  }
}

// Vite 7 stands on Rollup, Vite 8 on Rolldown: the parts used here are the same, their types are not.
const contextOf = (context: unknown) => context as PluginContext
const environmentOf = (context: unknown) => (context as { environment: BuildEnvironment }).environment

// Vite replaces it wherever it ends up, with the base or the host that is configured.
const urlOf = (referenceId: string) => `"__VITE_ASSET__${referenceId}__"`

/** Throws `ERR_PIXRACE_INVALID_OPTION`. */
export function pixrace(options?: PixraceOptions): Plugin[] {
  // Options are checked at once; the root, and so the cache, is known later.
  resolveOptions(options)
  let session = new Session({ ...options, cache: false }, process.cwd())
  let config: ResolvedConfig
  let dev: DevImages | null = null
  const captured = new WeakMap<object, BundleImage[]>()

  const main: Plugin = {
    name: 'pixrace',
    enforce: 'pre',
    async configResolved(resolved) {
      config = resolved
      const isDev = resolved.command === 'serve'
      session = new Session(isDev ? { ...options, report: false } : options, resolved.root)
      if (isDev && session.options.dev) dev = new DevImages(session, resolved)
    },
    buildStart: () => session.begin(),
    configureServer(server) {
      if (dev) server.middlewares.use(dev.middleware)
    },
    async resolveId(source, importer, { isEntry }) {
      const asked = parseImageQuery(source)
      if (!asked) return null
      const query = source.slice(asked.file.length)
      const resolved = await this.resolve(asked.file, importer, { isEntry, skipSelf: true })
      const file = resolved?.id ?? asked.file
      // What Vite leaves as it is stands in publicDir.
      const inPublic = join(config.publicDir, file)
      return (file.startsWith('/') && (await exists(inPublic)) ? inPublic : file) + query
    },
    async load(id) {
      // Vite 8 itself does not see that an image changes while it watches.
      if (this.meta.watchMode && isAbsolute(id) && session.filter.isImage(sourceName(session.root, id)))
        this.addWatchFile(id)
      if (config.command === 'build') return loadQuery(contextOf(this), session, id, urlOf)
      return dev ? dev.load(id, file => this.addWatchFile(file)) : loadOriginal(id, config)
    },
    // Called at the end of a build and when a development server is closed.
    async closeBundle() {
      if (!this.meta.watchMode || config.command === 'serve') await session.close()
    },
    closeWatcher: () => session.close(),
    // The bytes, and so the names, of a chunk's images follow from it.
    augmentChunkHash: () => session.salt,
  }

  return [main, capture(), bundle()]

  /** Vite removes the assets of a build for a server before anybody else sees them. */
  function capture(): Plugin {
    return {
      name: 'pixrace:capture',
      apply: 'build',
      generateBundle: {
        order: 'pre',
        handler(outputOptions, files) {
          captured.set(
            this.environment,
            imagesOf(session, outputOptions as unknown as NormalizedOutputOptions, files as unknown as OutputBundle),
          )
        },
      },
    }
  }

  function bundle(): Plugin {
    return {
      name: 'pixrace:bundle',
      apply: 'build',
      enforce: 'post',
      generateBundle: {
        order: 'post',
        async handler(outputOptions, files) {
          const { config: own } = environmentOf(this)
          const { emitAssets, copyPublicDir, write, outDir } = own.build
          const images = captured.get(this.environment) ?? []
          const rollupOptions = outputOptions as unknown as NormalizedOutputOptions
          await processBundle(contextOf(this), session, rollupOptions, files as unknown as OutputBundle, {
            images,
            writes: emitAssets,
          })
          const target = resolve(own.root, (outputOptions as { dir?: string }).dir ?? outDir)
          if (session.options.publicDir && copyPublicDir && write && own.publicDir && (await exists(own.publicDir))) {
            await optimizePublic(session, own.publicDir, target, sourceName(own.root, own.publicDir))
          }
          if (emitAssets) await finish(contextOf(this), session)
        },
      },
    }
  }
}

const exists = (path: string) =>
  fs.access(path).then(
    () => true,
    () => false,
  )

/** In development: the file itself, at once. */
async function loadOriginal(id: string, { root }: ResolvedConfig): Promise<string | null> {
  const asked = parseImageQuery(id)
  if (!asked) return null
  const { file, query } = asked
  const below = relative(root, file)
  const path = below.startsWith('..') || isAbsolute(below) ? file : `/${below.replaceAll('\\', '/')}`
  return originalModule(query, path, query.kind === 'picture' ? await sizeOf(await fs.readFile(file)) : null)
}

export default pixrace
