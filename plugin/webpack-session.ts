// Images as modules of webpack and Rspack: a loader gives them their bytes and their extension, and the bundler itself names
// them, inlines the small ones, and lets every reference follow.
import { basename, extname, posix, sep } from 'node:path'
import { contentHash } from './cache/index.js'
import type { Settled } from './core/bundle.js'
import { extensionFor } from './core/formats.js'
import { extensionOf, fillTemplate, withExtension } from './core/naming.js'
import { type Answer, outputsOf } from './core/optimizer.js'
import { type ImageQuery, parseImageQuery, plainModule, queryModule } from './core/picture.js'
import type { Session } from './core/session.js'
import { sizeOf, sourceName } from './core/source.js'
import type { EncodedImage, ImageRecord, OutputRecord } from './core/types.js'

/** What is left at a module, where the bundler's own cache keeps it with the module. */
export interface ModuleNote {
  /** Of the module: the source's path and its query. */
  key: string
  record: ImageRecord
  /** The source. */
  file: string
  /** Path, from the root, by which the bundler knows the module: it has the extension of the result. */
  shown: string
  /** Hashes of the files that came of it. */
  hashes: string[]
  /** Of a plain image: what its file holds. */
  settled?: Settled
  /** Of a plain image that changed its format: the path by which the bundler is to know it. */
  matchResource?: string
}

interface ModulePath {
  resourcePath: string
  resourceQuery: string
  _module?: { matchResource?: string | undefined; buildInfo?: Record<string, unknown> | undefined }
}

/** The parts of a loader context that both bundlers have. */
export interface LoaderContext extends ModulePath {
  getOptions(): { session: WebpackSession }
  async(): (error: Error | null, content?: string | Buffer) => void
  emitFile(name: string, content: Buffer, sourceMap?: undefined, info?: Record<string, unknown>): void
}

export class WebpackSession {
  /** Notes of the modules that were loaded in this process. */
  readonly notes = new Map<string, ModuleNote>()
  /** Those of plain images by `shown`, by which the bundler asks for names. The files of pictures are named one by one. */
  private readonly byShown = new Map<string, ModuleNote>()

  /** `active`: not in development, unless that is asked for. `template` names the files of pictures. */
  constructor(
    readonly session: Session,
    private readonly active: boolean,
    private readonly template: string,
  ) {}

  /** The content of a module: the image itself, or the JavaScript that a query asks for. */
  load(context: LoaderContext, content: Buffer): Promise<string | Buffer> {
    const asked = parseImageQuery(`${context.resourcePath}${context.resourceQuery}`)
    if (asked?.query.kind === 'picture') return this.loadPicture(context, content, asked.query)
    return this.loadImage(context, content, asked?.query.kind === 'smallest')
  }

  nameOf(name: string, ext: string, hash: string): string {
    const own = this.session.options.fileName
    return own
      ? fillTemplate(own, { name, ext, hash }, 'rollup')
      : fillTemplate(this.template, { name, ext, hash }, 'webpack')
  }

  /** Takes the note of a module that came from the bundler's cache. */
  recall(note: ModuleNote): void {
    if (this.notes.has(note.key)) return
    this.keep({ ...note, record: { ...note.record, cached: true, elapsedMs: 0 } })
  }

  private keep(note: ModuleNote): void {
    this.notes.set(note.key, note)
    if (parseImageQuery(note.key)?.query.kind !== 'picture') this.byShown.set(note.shown, note)
  }

  /** A name by `fileName` for the module that the bundler knows by `path`; null for what is no image of ours. */
  nameOfModule(path: string): string | null {
    const shown = path.replace(/[?#].*$/, '')
    const { name, ext } = posix.parse(shown)
    const hash = this.byShown.get(shown)?.hashes[0]
    return hash ? this.nameOf(name, ext.slice(1), hash) : null
  }

  private async loadImage(context: LoaderContext, content: Buffer, smallest: boolean): Promise<Buffer> {
    if (!this.active) return content
    const { note, data } = await this.make(context, content, smallest)
    if (context._module && note.matchResource) context._module.matchResource = note.matchResource
    return data
  }

  /** The note of a plain image outside of its module. */
  async noteOf(file: string, content: Buffer): Promise<ModuleNote> {
    const { note } = await this.make({ resourcePath: file, resourceQuery: '' }, content, false)
    return note
  }

  private async make(
    module: ModulePath,
    content: Buffer,
    smallest: boolean,
  ): Promise<{ note: ModuleNote; data: Buffer }> {
    const { optimizer, root, options } = this.session
    const file = module.resourcePath
    const source = sourceName(root, file)
    const answer = smallest
      ? await optimizer.smallest(source, content)
      : await optimizer.image(source, content, options.convert !== null)
    const image = answer.encoded?.images[0]
    const ext = image ? extensionFor(image.format, extensionOf(file)) : extensionOf(file)
    const path = withExtension(file.split(sep).join('/'), ext)
    const note = await this.noteFor(module, answer, content, image ? [image] : [], [null])
    note.shown = sourceName(root, path)
    // `?smallest` is of no use in a file's name.
    if (ext !== extensionOf(file) || smallest) note.matchResource = path
    if (image) note.settled = { ...sizeAndFormat(image), hash: note.hashes[0] ?? '' }
    this.leave(module, note)
    return { note, data: image?.data ?? content }
  }

  private async loadPicture(context: LoaderContext, content: Buffer, query: ImageQuery): Promise<string> {
    const file = context.resourcePath
    const source = sourceName(this.session.root, file)
    const name = basename(file, extname(file))
    const emit = async (base: string, ext: string, data: Buffer) => {
      const fileName = this.nameOf(base, ext, await contentHash(data))
      context.emitFile(fileName, data, undefined, { immutable: true, sourceFilename: source })
      return fileName
    }
    const urlOf = (fileName: string) => `__webpack_public_path__ + ${JSON.stringify(fileName)}`
    const plain = async () =>
      plainModule(query, urlOf(await emit(name, extensionOf(file), content)), await sizeOf(content))
    if (!this.active) return plain()
    const answer = await this.session.optimizer.answer(source, content, query)
    if (!answer.encoded) {
      this.leave(context, await this.noteFor(context, answer, content, [], []))
      return plain()
    }
    const { files, code } = queryModule(query, answer.encoded, name)
    const fileNames: string[] = []
    for (const { name: base, ext, image } of files) fileNames.push(await emit(base, ext, image.data))
    const images = files.map(({ image }) => image)
    this.leave(context, await this.noteFor(context, answer, content, images, fileNames))
    return code(fileNames.map(urlOf))
  }

  /** What there is to note, of an image or of a picture alike. */
  private async noteFor(
    { resourcePath, resourceQuery }: ModulePath,
    answer: Answer,
    content: Buffer,
    images: EncodedImage[],
    fileNames: (string | null)[],
  ): Promise<ModuleNote> {
    const source = sourceName(this.session.root, resourcePath)
    const { cached, elapsedMs, leftAlone, encoded } = answer
    const outputs: OutputRecord[] = outputsOf(images, fileNames)
    const files = images.length > 0 ? images.map(({ data }) => data) : [content]
    return {
      key: `${resourcePath}${resourceQuery}`,
      record: {
        ...{ source, before: content.length, cached, elapsedMs, outputs },
        warnings: encoded?.warnings ?? [],
        ...(leftAlone && { leftAlone }),
      },
      file: resourcePath,
      shown: source,
      hashes: await Promise.all(files.map(contentHash)),
    }
  }

  /** Leaves a note at the module, and here. */
  private leave({ _module }: ModulePath, note: ModuleNote): void {
    this.keep(note)
    if (!_module) return
    _module.buildInfo ??= {}
    _module.buildInfo.pixrace = note
  }
}

const sizeAndFormat = ({ format, width, height }: EncodedImage) => ({ format, width, height })
