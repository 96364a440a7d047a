// What webpack and Rspack share: rules that bring images to the loader, and what is no module (copied files, HTML) at the end.
import { promises as fs } from 'node:fs'
import { join, posix } from 'node:path'
import { contentHash } from './cache/index.js'
import { applyEdits, type BundleImage, BundlePass, type BundleText } from './core/bundle.js'
import { dataUrl, IMAGE_FILE, sniff } from './core/formats.js'
import { outputsOf } from './core/optimizer.js'
import { type PixraceOptions, resolveOptions } from './core/options.js'
import { Session } from './core/session.js'
import { sizeOf, sourceName } from './core/source.js'
import { Turns } from './core/turns.js'
import { verdict } from './core/verdict.js'
import folder from './own-folder.cjs'
import { type ModuleNote, WebpackSession } from './webpack-session.js'

const NAME = 'PixracePlugin'
// The bundlers' own constants: sizes are optimised before contents are hashed, and HTML is final after that.
const STAGE_OPTIMIZE_SIZE = 400
const STAGE_AFTER_HASH = 2800

interface Source {
  buffer(): Buffer
}

interface AssetInfo {
  sourceFilename?: string
  [key: string]: unknown
}

interface Module {
  matchResource?: string | undefined
  buildInfo?: Record<string, unknown> | undefined
}

/** The parts of both bundlers' compilations that are used here. */
export interface Compilation {
  modules: Iterable<Module>
  children?: Iterable<Compilation>
  fileDependencies: Iterable<string>
  warnings: { push(error: Error): unknown }
  errors: { push(error: Error): unknown }
  getAssets(): readonly { name: string; source: Source; info: AssetInfo }[]
  getAsset(name: string): unknown
  updateAsset(
    name: string,
    source: Source | ((source: Source) => Source),
    info?: AssetInfo | ((info: AssetInfo) => AssetInfo),
  ): void
  emitAsset(name: string, source: Source, info?: AssetInfo): void
  hooks: {
    processAssets: {
      tapPromise(options: { name: string; stage: number; additionalAssets?: boolean }, task: () => Promise<void>): void
    }
    /** webpack's; Rspack keeps `matchResource` with the module. */
    stillValidModule?: { tap(name: string, task: (module: Module) => void): void }
    finishModules: { tap(name: string, task: () => void): void }
    statsPrinter?: { tap(name: string, task: (printer: StatsPrinter) => void): void }
  }
}

interface StatsPrinter {
  hooks: {
    print: {
      for(key: string): {
        tap(name: string, print: (value: unknown, context: StatsContext) => string | undefined): void
      }
    }
  }
}

interface StatsContext {
  green?: (text: string) => string
  formatFlag?: (text: string) => string
}

interface Hook<T> {
  tapPromise(name: string, task: () => Promise<void>): void
  tap(name: string, task: (value: T) => void): void
}

export interface Compiler {
  context: string
  options: {
    mode?: string | undefined
    cache?: boolean | { version?: string }
    output: { assetModuleFilename?: unknown }
    module: { rules: unknown[]; generator?: Record<string, Record<string, unknown>> }
  }
  webpack: { sources: { RawSource: new (content: Buffer | string) => Source } }
  hooks: {
    beforeRun: Hook<unknown>
    watchRun: Hook<unknown>
    shutdown: Hook<unknown>
    compilation: Hook<Compilation>
    thisCompilation: Hook<Compilation>
  }
}

const PICTURE_QUERY = /[?&]picture(?:[&=]|$)/
const SMALLEST_QUERY = /[?&]smallest(?:[&=]|$)/

/** What sets one bundler apart. */
export interface Traits {
  /** Whether the media type of an inlined image is that of the source, whatever the loader made of it. */
  inlinesByResource?: boolean
}

/** The plugin. Throws `ERR_PIXRACE_INVALID_OPTION`. */
export class PixracePlugin {
  constructor(
    private readonly options: PixraceOptions = {},
    private readonly traits: Traits = {},
  ) {
    resolveOptions(options)
  }

  apply(compiler: Compiler): void {
    const session = new Session(this.options, compiler.context)
    const { assetModuleFilename } = compiler.options.output
    const template = typeof assetModuleFilename === 'string' ? assetModuleFilename : '[hash][ext]'
    const active = compiler.options.mode !== 'development' || session.options.dev
    const modules = new WebpackSession(session, active, template)
    addRules(compiler, modules, active ? session.salt : `${session.salt} originals`, this.traits)
    const begin = () => session.begin()
    compiler.hooks.beforeRun.tapPromise(NAME, begin)
    compiler.hooks.watchRun.tapPromise(NAME, begin)
    compiler.hooks.shutdown.tapPromise(NAME, () => session.close())
    compiler.hooks.compilation.tap(NAME, ({ hooks }) =>
      hooks.stillValidModule?.tap(NAME, module => restore(module, modules)),
    )
    if (active) compiler.hooks.thisCompilation.tap(NAME, compilation => new Build(compiler, compilation, modules).tap())
  }
}

/**
 * A module from webpack's cache has the bytes that the loader made, and not the extension that it gave. Its note is needed at
 * once: a child compiler names its files before the compilation is told of its modules.
 */
function restore(module: Module, modules: WebpackSession): void {
  const note = module.buildInfo?.pixrace as ModuleNote | undefined
  if (!note) return
  if (note.matchResource) module.matchResource = note.matchResource
  modules.recall(note)
}

function addRules(
  { context, options }: Compiler,
  session: WebpackSession,
  salt: string,
  { inlinesByResource }: Traits,
): void {
  const { filter, options: own } = session.session
  const test = (file: string) => filter.isImage(sourceName(context, file))
  // The bundler's own cache must not outlive our options. It knows nothing of them where a module has images without being
  // one, as stylesheets have, so all of it goes.
  const { cache } = options
  if (typeof cache === 'object') cache.version = `${cache.version ?? ''} pixrace ${salt}`
  const use = [{ loader: join(folder, 'webpack-loader.js'), ident: `pixrace-${salt}`, options: { session, salt } }]
  options.module.rules.push(
    { test, resourceQuery: { not: [PICTURE_QUERY] }, enforce: 'pre', use },
    { test, resourceQuery: SMALLEST_QUERY, type: 'asset/resource' },
    { test, resourceQuery: PICTURE_QUERY, type: 'javascript/auto', use },
  )
  if (own.fileName) options.output.assetModuleFilename = namer(session, options.output.assetModuleFilename)
  if (!inlinesByResource) return
  options.module.generator ??= {}
  const { generator } = options.module
  for (const type of ['asset', 'asset/inline']) generator[type] = { dataUrl, ...generator[type] }
}

type Namer = (data: { filename?: string }, info?: unknown) => string

/** Names images by `fileName`, and all others as before. */
function namer(session: WebpackSession, before: unknown): Namer {
  return (data, info) => {
    const name = session.nameOfModule(data.filename ?? '')
    if (name) return name
    return typeof before === 'function' ? before(data, info) : ((before as string) ?? '[hash][ext][query]')
  }
}

/** One compilation. */
class Build {
  private readonly session: Session
  /** Images that are no modules, by their name, as they were. */
  private readonly copied = new Map<string, { source: string; bytes: Buffer }>()

  constructor(
    private readonly compiler: Compiler,
    private readonly compilation: Compilation,
    private readonly modules: WebpackSession,
  ) {
    this.session = modules.session
  }

  tap(): void {
    const { processAssets, finishModules, statsPrinter } = this.compilation.hooks
    finishModules.tap(NAME, () => this.collectNotes())
    processAssets.tapPromise({ name: NAME, stage: STAGE_OPTIMIZE_SIZE, additionalAssets: true }, () =>
      this.optimizeCopied(),
    )
    processAssets.tapPromise({ name: NAME, stage: STAGE_AFTER_HASH }, () => this.finish())
    statsPrinter?.tap(NAME, ({ hooks }) =>
      hooks.print
        .for('asset.info.pixrace')
        .tap(NAME, (value, { green = String, formatFlag = String }) => (value ? green(formatFlag(String(value))) : '')),
    )
  }

  /** Modules that came from the bundler's cache have their notes with them. */
  private collectNotes(): void {
    const { notes, session } = this.modules
    for (const { buildInfo } of modulesOf(this.compilation)) {
      if (buildInfo?.pixrace) this.modules.recall(buildInfo.pixrace as ModuleNote)
    }
    for (const { hashes } of notes.values()) for (const hash of hashes) session.optimizer.finished.add(hash)
  }

  /**
   * The note of a file whose module the bundler's cache keeps to itself (Rspack's, of stylesheets): made again, through our
   * cache. Null for a file that the loader did not make.
   */
  private async noteAgain(shown: string, made: Buffer): Promise<ModuleNote | null> {
    const folder = posix.join(this.session.root, posix.dirname(shown))
    const { name } = posix.parse(shown)
    const siblings = await fs.readdir(folder).catch(() => [])
    for (const file of siblings.filter(sibling => posix.parse(sibling).name === name).sort()) {
      const path = posix.join(folder, file)
      if (!this.session.filter.isImage(sourceName(this.session.root, path))) continue
      const note = await this.modules.noteOf(path, await fs.readFile(path))
      if (note.hashes[0] === (await contentHash(made))) return note
    }
    return null
  }

  private raw(content: Buffer | string): Source {
    return new this.compiler.webpack.sources.RawSource(content)
  }

  /** Images that no module made: copied files, favicons of other plugins. Name and format stay. */
  private async optimizeCopied(): Promise<void> {
    this.collectNotes()
    const { filter, optimizer } = this.session
    await Promise.all(
      this.compilation.getAssets().map(async ({ name, source, info }) => {
        const path = info.sourceFilename?.replace(/[?#].*$/, '') ?? name
        if (filter.isOther(path)) optimizer.leaveOther(path, source.buffer())
        if (!IMAGE_FILE.test(name) || !filter.isImage(path) || this.copied.has(name)) return
        const bytes = source.buffer()
        if (optimizer.finished.has(await contentHash(bytes))) return
        const isModule = info.sourceFilename !== undefined && !info.copied
        if (isModule && (await this.noteAgain(path, bytes))) return
        this.copied.set(name, { source: path, bytes })
        const answer = await optimizer.image(path, bytes, false)
        const image = answer.encoded?.images[0]
        optimizer.record(path, bytes.length, answer, image ? outputsOf([image], [name]) : [])
        if (!image) return
        const shown = { minimized: true, ...saved(bytes.length, image.data.length) }
        this.compilation.updateAsset(name, this.raw(image.data), known => ({ ...known, ...shown }))
      }),
    )
  }

  private async finish(): Promise<void> {
    const { optimizer } = this.session
    // Rspack shows nobody what comes late: its HTML plugin's favicon.
    await this.optimizeCopied()
    const settled = await this.recordModules()
    await this.rewriteHtml(settled)
    const manifest = this.session.manifest()
    if (manifest) this.compilation.emitAsset(manifest.fileName, this.raw(manifest.text))
    const { warnings } = verdict(optimizer.records, this.session.options)
    for (const warning of warnings) this.compilation.warnings.push(new Error(`pixrace: ${warning}`))
    const error = await this.session.end()
    if (error) this.compilation.errors.push(error)
  }

  /** Records what became of the modules in this compilation; gives the names of the files of plain ones. */
  private async recordModules(): Promise<Map<string, ModuleNote>> {
    const settled = new Map<string, ModuleNote>()
    const byShown = new Map<string, { name: string }[]>()
    for (const { name, info } of this.compilation.getAssets()) {
      const shown = info.sourceFilename?.replace(/[?#].*$/, '')
      if (shown !== undefined) byShown.set(shown, [...(byShown.get(shown) ?? []), { name }])
    }
    const isAlive = this.aliveness()
    const turns = new Turns()
    for (const note of this.modules.notes.values()) {
      await turns.next()
      const { record, shown, file } = note
      const own = byShown.get(shown) ?? []
      if (own.length === 0 && !isAlive(note)) continue
      const [output] = record.outputs
      const isPlain = record.outputs.length === 1 && output?.fileName === null
      const outputs = isPlain && output && own[0] ? [{ ...output, fileName: own[0].name }] : record.outputs
      this.session.optimizer.restore({ ...record, outputs })
      for (const { name } of isPlain ? own : []) {
        settled.set(name, note)
        this.compilation.updateAsset(
          name,
          source => source,
          info => ({ ...info, ...saved(record.before, output?.bytes ?? 0) }),
        )
      }
      if (record.leftAlone && own[0]) settled.set(own[0].name, { ...note, file })
    }
    return settled
  }

  /**
   * Whether a module still is in the build: a watcher's notes are of earlier builds too. Modules of child compilers show only
   * when they are made, so the files on which others depend count as well.
   */
  private aliveness(): (note: ModuleNote) => boolean {
    const keys = new Set<string>()
    const files = new Set<string>(this.compilation.fileDependencies)
    for (const { buildInfo } of modulesOf(this.compilation)) {
      const note = buildInfo?.pixrace as ModuleNote | undefined
      if (note) keys.add(note.key)
      else for (const file of (buildInfo?.fileDependencies as Iterable<string> | undefined) ?? []) files.add(file)
    }
    return ({ key, file }) => keys.has(key) || files.has(file)
  }

  private async rewriteHtml(notes: Map<string, ModuleNote>): Promise<void> {
    const texts: BundleText[] = this.compilation
      .getAssets()
      .filter(({ name }) => /\.html?$/i.test(name))
      .map(({ name, source }) => ({
        fileName: name,
        text: source.buffer().toString('utf8'),
        rename: null,
        role: 'html' as const,
      }))
    if (texts.length === 0) return
    const images = await this.settledImages(notes)
    const isTaken = (name: string) => this.compilation.getAsset(name) !== undefined
    const pass = new BundlePass(this.session.optimizer, images, texts, isTaken, hash => this.sourceOf(hash))
    const { files, edits } = await pass.run()
    for (const [name, bytes] of files) {
      const source = this.raw(Buffer.from(bytes))
      // webpack shows what is added late to everything that runs early.
      this.session.optimizer.finished.add(await contentHash(bytes))
      if (this.compilation.getAsset(name)) this.compilation.updateAsset(name, source)
      else this.compilation.emitAsset(name, source, { immutable: true, minimized: true })
    }
    for (const { fileName, text } of texts) {
      const list = edits.get(fileName)
      if (list) this.compilation.updateAsset(fileName, this.raw(applyEdits(text, list)))
    }
  }

  private async sourceOf(hash: string): Promise<{ source: string; bytes: Buffer } | null> {
    const note = [...this.modules.notes.values()].find(({ hashes }) => hashes[0] === hash)
    return note ? { source: note.record.source, bytes: await fs.readFile(note.file) } : null
  }

  private async settledImages(notes: Map<string, ModuleNote>): Promise<BundleImage[]> {
    const images: BundleImage[] = []
    const add = async (fileName: string, source: string, bytes: Buffer, known?: ModuleNote['settled']) => {
      const size = known ?? (await sizeOf(bytes))
      if (!size) return
      const rename = (hash: string, ext: string) => this.modules.nameOf(posix.parse(source).name, ext, hash)
      images.push({ fileName, source, bytes, rename, settled: { format: sniff(bytes) ?? '', hash: '', ...size } })
    }
    for (const [fileName, { file, record, settled }] of notes)
      await add(fileName, record.source, await fs.readFile(file), settled)
    for (const [fileName, { source, bytes }] of this.copied) await add(fileName, source, bytes)
    return images
  }
}

function* modulesOf(compilation: Compilation): Generator<Module> {
  yield* compilation.modules
  for (const child of compilation.children ?? []) yield* modulesOf(child)
}

/** What statistics show of a file. */
function saved(before: number, after: number): { pixrace?: string } {
  return after > 0 && after < before ? { pixrace: `pixrace: −${((100 * (before - after)) / before).toFixed(1)} %` } : {}
}
