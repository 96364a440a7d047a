// The heart of the build layer: image in, image out, through the cache, a few at a time, and a record of each.
import { availableParallelism } from 'node:os'
import { type Cache, cacheKey, contentHash, openCache } from '../cache/index.js'
import type { Format } from '../engine.js'
import { sniff } from './formats.js'
import { fingerprint, type Job, type PictureRequest, run } from './jobs.js'
import { prepare } from './merge.js'
import { extensionOf } from './naming.js'
import { FORMATS, type ResolvedOptions } from './options.js'
import type { ImageQuery } from './picture.js'
import { createProgress } from './progress.js'
import { WorkQueue } from './queue.js'
import type { Encoded, EncodedImage, ImageRecord, LeftAloneCode, OutputRecord } from './types.js'

/** What became of one request. */
export interface Answer {
  encoded: Encoded | null
  cached: boolean
  elapsedMs: number
  leftAlone?: { code: LeftAloneCode; message: string }
}

interface Found {
  encoded: Encoded
  cached: boolean
}

/** A file of ours that a bundle is to hold. */
export interface OwnImage {
  source: string
  before: number
  answer: Answer
  image: EncodedImage
}

/** More than threads, so that reading and hashing one image goes on beside encoding others; few, so that memory is bounded. */
export const MAX_IN_FLIGHT = 2 * availableParallelism()

const sentence = (error: unknown) => {
  const { code, message } = error as { code?: string; message: string }
  return code?.startsWith('ERR_PIXRACE_') ? message : String(message ?? error)
}

export class Optimizer {
  readonly fingerprint = fingerprint()
  readonly records: ImageRecord[] = []
  private readonly inFlight = new Map<string, Promise<Found>>()
  private readonly owned = new Map<string, OwnImage>()
  /** Hashes of files that need no more work, wherever they turn up. */
  readonly finished = new Set<string>()
  private readonly placeholders = new Set<string>()
  /** Without a bound: there are only as many as a project has images, and none is refused. */
  private readonly queue = new WorkQueue(MAX_IN_FLIGHT, Number.POSITIVE_INFINITY)
  /** Undefined before the cache is used, null where there is none or it is closed. */
  private opened: Cache | null | undefined
  private readonly progress
  private total = 0
  private done = 0

  constructor(
    readonly options: ResolvedOptions,
    readonly root: string,
  ) {
    this.progress = createProgress(options.report ? process.stderr : null)
  }

  /** Notes files that were made before the bundle: they are not to be optimised again. */
  async own(source: string, before: number, answer: Answer, images: EncodedImage[]): Promise<void> {
    for (const image of images) {
      const hash = await contentHash(image.data)
      this.owned.set(hash, { source, before, answer, image })
      this.finished.add(hash)
    }
    if (answer.encoded?.placeholder) this.placeholders.add(answer.encoded.placeholder)
  }

  ownImage = (hash: string): OwnImage | undefined => this.owned.get(hash)
  ownPlaceholder = (url: string): boolean => this.placeholders.has(url)

  /** Opened when it is needed: Vite reads a configuration several times, and nobody would close the connections of all. */
  get cache(): Cache | null {
    if (this.opened === undefined) this.opened = openCache(this.options.cache, this.root)
    return this.opened
  }

  /** Gives back what would keep the process alive. Nothing is found in the cache until another build begins. */
  async close(): Promise<void> {
    const cache = this.opened
    this.opened = null
    await cache?.close()
  }

  /** Forgets what earlier builds left: of a watcher, or of another environment of Vite. */
  begin(): void {
    if (this.opened === null) this.opened = undefined
    this.records.length = 0
    this.total = 0
    this.done = 0
  }

  /** The smallest file, in the source's own format or, with `convert`, in any that the options allow. */
  async image(source: string, bytes: Uint8Array, convert: boolean): Promise<Answer> {
    const format = sniff(bytes)
    if (!format) return leftAlone('failed', 'not an image that pixrace reads, whatever its name says')
    const formats = convert && this.options.convert ? this.options.convert : null
    if (!formats && format === 'gif') {
      return leftAlone('unsupported', 'GIF is read, but not written; `convert` makes an animated WebP of it')
    }
    const { engine } = this.options
    return this.ask(source, bytes, { kind: 'image', formats: formats ?? [format as Format], engine })
  }

  /** The smallest file of any format, whatever `convert` says. */
  smallest(source: string, bytes: Uint8Array): Promise<Answer> {
    const { engine, convert } = this.options
    return this.ask(source, bytes, { kind: 'image', formats: convert ?? [...FORMATS], engine })
  }

  /** One image in several widths and formats. */
  picture(source: string, bytes: Uint8Array, request: PictureRequest): Promise<Answer> {
    return this.ask(source, bytes, { kind: 'picture', ...request, engine: this.options.engine })
  }

  /** What an import with a query asks for. */
  answer(source: string, bytes: Uint8Array, query: ImageQuery): Promise<Answer> {
    return query.kind === 'picture' ? this.picture(source, bytes, query.request) : this.smallest(source, bytes)
  }

  /** What came of a job. Never rejects: a failure is an answer too. */
  async ask(source: string, bytes: Uint8Array, job: Job): Promise<Answer> {
    const started = performance.now()
    const elapsed = () => performance.now() - started
    this.progress.start(++this.total)
    try {
      const { encoded, cached } = await this.encode(bytes, job)
      return { encoded, cached, elapsedMs: elapsed() }
    } catch (error) {
      return { ...leftAlone('failed', sentence(error)), elapsedMs: elapsed() }
    } finally {
      this.progress.update(++this.done, this.total, source)
    }
  }

  /** The answer from the cache or the engine; the same question is asked once at a time. */
  private async encode(bytes: Uint8Array, job: Job): Promise<Found> {
    const key = await cacheKey(bytes, job, this.fingerprint)
    const work = this.inFlight.get(key) ?? this.queue.run(() => this.find(key, bytes, job))
    this.inFlight.set(key, work)
    try {
      return await work
    } finally {
      this.inFlight.delete(key)
    }
  }

  private async find(key: string, bytes: Uint8Array, job: Job): Promise<Found> {
    const hit = await this.cache?.get(key)
    if (hit) return { encoded: hit, cached: true }
    const encoded = await run(bytes, job)
    await this.cache?.set(key, encoded)
    return { encoded, cached: false }
  }

  /** Notes what became of `source`, with the files that came of it. The report puts several about one source together. */
  record(source: string, before: number, answer: Answer, outputs: OutputRecord[]): void {
    const { cached, elapsedMs, leftAlone } = answer
    const warnings = answer.encoded?.warnings ?? []
    this.restore({ ...{ source, before, cached, elapsedMs, outputs, warnings }, ...(leftAlone && { leftAlone }) })
  }

  /** A record that was kept elsewhere, by a bundler's own cache. */
  restore(record: ImageRecord): void {
    prepare(record)
    this.records.push(record)
  }

  /** Notes an image of a kind that the engine does not read. */
  leaveOther(source: string, { length }: { length: number }): void {
    const kind = extensionOf(source).toLowerCase()
    this.record(source, length, leftAlone('unsupported', `${kind} is no format that pixrace reads`), [])
  }

  /** Ends a build: the progress line goes, the cache is brought back to its size. */
  async end(): Promise<void> {
    this.progress.stop()
    await this.cache?.prune()
  }
}

const leftAlone = (code: LeftAloneCode, message: string): Answer => ({
  ...{ encoded: null, cached: false, elapsedMs: 0 },
  leftAlone: { code, message },
})

/** Files as records, with the names that the caller gave them; null for one that is inlined. */
export function outputsOf(images: EncodedImage[], fileNames: (string | null)[]): OutputRecord[] {
  return images.map(({ data, passed: _, ...image }, index) => ({
    ...image,
    fileName: fileNames[index] ?? null,
    bytes: data.length,
  }))
}
