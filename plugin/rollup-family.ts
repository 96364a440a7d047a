// What Rollup and Vite share: bundles that are objects, and imports that are loaded by plugins.
import { promises as fs } from 'node:fs'
import { basename, extname, isAbsolute, posix } from 'node:path'
import type { NormalizedOutputOptions, OutputAsset, OutputBundle, OutputChunk, PluginContext } from 'rollup'
import { applyEdits, type BundleImage, BundlePass, type BundleText, type Rename } from './core/bundle.js'
import { IMAGE_FILE, OTHER_IMAGE_FILE } from './core/formats.js'
import type { Edit } from './core/html.js'
import { extensionOf, fillTemplate, readName, withExtension } from './core/naming.js'
import { parseImageQuery, plainModule, queryModule } from './core/picture.js'
import type { Session } from './core/session.js'
import { sizeOf, sourceName } from './core/source.js'
import { mapOfEdits, type RawMap } from './core/source-map.js'

/** How a bundler writes the URL of an emitted file into a module, as an expression. */
export type UrlOf = (referenceId: string) => string

const TEXT_FILE = /\.(?:css|js|mjs|cjs|html?|json|webmanifest|svg|xml|txt)$/i
const NAMED_BY_CONTENT = /\.(?:css|js|mjs|cjs)$/i

/** The module of an import with a query of ours; null for all others. */
export async function loadQuery(
  context: PluginContext,
  session: Session,
  id: string,
  urlOf: UrlOf,
): Promise<string | null> {
  const asked = parseImageQuery(id)
  if (!asked) return null
  const { file, query } = asked
  context.addWatchFile(file)
  const bytes = await fs.readFile(file)
  const source = sourceName(session.root, file)
  const { optimizer } = session
  const emit = (name: string, content: Uint8Array) =>
    urlOf(context.emitFile({ type: 'asset', name, originalFileName: source, source: content }))
  const answer = await optimizer.answer(source, bytes, query)
  if (!answer.encoded) {
    optimizer.record(source, bytes.length, answer, [])
    return plainModule(query, emit(basename(file), bytes), await sizeOf(bytes))
  }
  const { files, code } = queryModule(query, answer.encoded, basename(file, extname(file)))
  const images = files.map(({ image }) => image)
  await optimizer.own(source, bytes.length, answer, images)
  return code(files.map(({ name, ext, image }) => emit(`${name}.${ext}`, image.data)))
}

const bytesOf = (source: string | Uint8Array) => (typeof source === 'string' ? Buffer.from(source) : source)

function templateFor({ assetFileNames }: NormalizedOutputOptions, asset: OutputAsset): string {
  if (typeof assetFileNames !== 'function') return assetFileNames
  const { name, names, originalFileName, originalFileNames, source } = asset
  return assetFileNames({ type: 'asset', name, names, originalFileName, originalFileNames, source } as never)
}

/** The images of a bundle as they are before anything is done. */
export function imagesOf(session: Session, options: NormalizedOutputOptions, bundle: OutputBundle): BundleImage[] {
  const assets = Object.values(bundle).filter(file => file.type === 'asset')
  const named = (asset: OutputAsset) => asset.originalFileNames?.[0] ?? asset.originalFileName ?? null
  const path = (asset: OutputAsset) => {
    const file = named(asset)
    if (!file) return asset.fileName
    return isAbsolute(file) ? sourceName(session.root, file) : file
  }
  for (const asset of assets) {
    const isOther = session.filter.isOther(path(asset)) && OTHER_IMAGE_FILE.test(asset.fileName)
    if (isOther) session.optimizer.leaveOther(path(asset), bytesOf(asset.source))
  }
  return assets
    .filter(asset => session.filter.isImage(path(asset)) && IMAGE_FILE.test(asset.fileName))
    .map(asset => ({
      fileName: asset.fileName,
      bytes: bytesOf(asset.source),
      source: path(asset),
      ...naming(asset, templateFor(options, asset), session.options.fileName),
    }))
}

/** A file that was emitted with its very name is one that a plugin copies. */
function naming({ fileName, names }: OutputAsset, template: string, own: string | null) {
  const isFixed = names.length === 0 && !readName(fileName, template)?.hashed
  return { isFixed, rename: renaming(fileName, template, isFixed ? null : own) }
}

/** A name like `fileName`, which `template` made, for other bytes. The folder stays, and a name without a hash. */
function renaming(fileName: string, template: string, own: string | null): Rename {
  const parts = readName(fileName, template)
  const name = parts?.name ?? posix.parse(fileName).name
  return (hash, ext) => {
    if (own) return fillTemplate(own, { name, hash, ext }, 'rollup')
    if (!parts?.hashed) return ext === extensionOf(fileName) ? fileName : withExtension(fileName, ext)
    return posix.join(posix.dirname(fileName), fillTemplate(posix.basename(template), { name, hash, ext }, 'rollup'))
  }
}

function roleOf(fileName: string): BundleText['role'] {
  if (/\.html?$/i.test(fileName)) return 'html'
  const isManifest = /\.webmanifest$|(^|\/)manifest\.json$/i.test(fileName) && !fileName.startsWith('.vite/')
  // Feeds and site maps are XML.
  if (isManifest || /\.xml$/i.test(fileName)) return 'keep-format'
  return /\.json$/i.test(fileName) ? 'listing' : 'code'
}

function textsOf(options: NormalizedOutputOptions, bundle: OutputBundle): BundleText[] {
  return Object.values(bundle).flatMap(file => {
    const { fileName } = file
    if (file.type === 'chunk') return [{ fileName, text: file.code, rename: null, role: 'code' as const }]
    if (!TEXT_FILE.test(fileName)) return []
    const rename = NAMED_BY_CONTENT.test(fileName) ? renaming(fileName, templateFor(options, file), null) : null
    return [{ fileName, text: Buffer.from(bytesOf(file.source)).toString('utf8'), rename, role: roleOf(fileName) }]
  })
}

export interface ProcessOptions {
  /** Images that were in the bundle before others removed them. Default: those that are in it. */
  images?: BundleImage[]
  /** Whether assets are written; a build for a server only names them. Default: true. */
  writes?: boolean
}

/** Optimises what is in `bundle` and lets everything follow. */
export async function processBundle(
  context: PluginContext,
  session: Session,
  options: NormalizedOutputOptions,
  bundle: OutputBundle,
  { images = imagesOf(session, options, bundle), writes = true }: ProcessOptions = {},
): Promise<void> {
  const texts = textsOf(options, bundle)
  const pass = new BundlePass(session.optimizer, images, texts, fileName => fileName in bundle)
  const { files, removed, renamed, edits } = await pass.run()
  for (const [fileName, list] of edits) editFile(context, bundle, fileName, list, renamed.get(fileName))
  for (const name of removed) delete bundle[name]
  if (writes) for (const [fileName, source] of files) put(context, bundle, fileName, source)
  for (const file of Object.values(bundle)) if (file.type === 'chunk') followMetadata(file, renamed)
}

function put(context: PluginContext, bundle: OutputBundle, fileName: string, source: string | Uint8Array) {
  const known = bundle[fileName]
  if (known?.type === 'asset') known.source = source
  else context.emitFile({ type: 'asset', fileName, source })
}

function editFile(context: PluginContext, bundle: OutputBundle, fileName: string, edits: Edit[], newName?: string) {
  const file = bundle[fileName]
  if (!file) return
  if (file.type === 'chunk') {
    editChunk(bundle, file, edits)
    return
  }
  const text = applyEdits(Buffer.from(bytesOf(file.source)).toString('utf8'), edits)
  if (newName && newName !== fileName) delete bundle[fileName]
  put(context, bundle, newName ?? fileName, text)
}

const INLINE_MAP = /(\/\/# sourceMappingURL=data:application\/json[^,\n]*;base64,)([A-Za-z0-9+/=]+)\s*$/

function editChunk(bundle: OutputBundle, chunk: OutputChunk, edits: Edit[]) {
  const { code, map } = chunk
  chunk.code = applyEdits(code, edits).replace(INLINE_MAP, (_, comment: string, encoded: string) => {
    const inline: RawMap = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'))
    return comment + Buffer.from(JSON.stringify(mapOfEdits(code, edits, inline))).toString('base64')
  })
  if (!map) return
  map.mappings = mapOfEdits(code, edits, map as RawMap).mappings
  const asset = chunk.sourcemapFileName ? bundle[chunk.sourcemapFileName] : undefined
  if (asset?.type !== 'asset') return
  const written = JSON.parse(Buffer.from(bytesOf(asset.source)).toString('utf8'))
  asset.source = JSON.stringify({ ...written, mappings: map.mappings })
}

/** Vite notes in each chunk which stylesheets belong to it; frameworks read that. */
function followMetadata(chunk: OutputChunk, renamed: Map<string, string>) {
  const { viteMetadata } = chunk as OutputChunk & { viteMetadata?: { importedCss?: Set<string> } }
  for (const [from, to] of renamed) if (viteMetadata?.importedCss?.delete(from)) viteMetadata.importedCss.add(to)
}

/** Ends a build: writes the manifest, shows the report, fails where the options say so. */
export async function finish(context: PluginContext, session: Session): Promise<void> {
  const manifest = session.manifest()
  if (manifest) context.emitFile({ type: 'asset', fileName: manifest.fileName, source: manifest.text })
  const error = await session.end()
  if (error) context.error(error.message)
}
