// One request for an image, from its query to its bytes: whatever else asks for the same waits for the same work.

import { promises as fs } from 'node:fs'
import { availableParallelism } from 'node:os'
import { LRUCache } from 'lru-cache'
import { type Cache, contentHash, keyOfHash, openCache } from '../cache/index.js'
import { mediaType, sniff } from '../core/formats.js'
import { fingerprint, type ImageJob, run } from '../core/jobs.js'
import { WorkQueue } from '../core/queue.js'
import { pixelsOf } from '../core/source.js'
import type { Encoded } from '../core/types.js'
import type { Format } from '../engine.js'
import { HttpError } from './errors.js'
import { findLocal } from './local.js'
import { isNamedOnly } from './negotiate.js'
import type { ResolvedServerOptions } from './options.js'
import { fetchRemote, type RemoteOptions } from './remote.js'

/** What is asked for, checked. */
export interface ImageQuery {
  /** Names all of the rest. */
  key: string
  /** A path of this site as `localPath` gives it, or an absolute URL. */
  url: string
  width: number
  minScore: number
  /** Groups of formats by falling preference of the client. */
  accepted: Format[][]
}

/** An image that can be sent. */
export interface ServedImage {
  body: Buffer
  type: string
  format: string
  /** A strong one, quotes included. */
  etag: string
  /** For clients and proxies, in seconds. */
  maxAge: number
}

export type ImageOrigin = 'memory' | 'cache' | 'made' | 'stale'

interface Kept extends ServedImage {
  /** Hash of its source. */
  source: string
  /** When its source has to be looked at again, in milliseconds of the monotonic clock. */
  freshUntil: number
}

/** What is known of a source without reading it. */
interface Known {
  hash: string
  /** By its bytes. */
  format: string
  bytes: number
  /** In pixels, as shown; Infinity if its header says nothing. */
  width: number
  maxAge: number
}

interface Source extends Known {
  /** As in the query. */
  url: string
  read(signal: AbortSignal): Promise<Buffer>
}

interface Ready {
  image: Kept
  origin: ImageOrigin
}

/** Work that several requests wait for; without any it is given up. */
interface Shared {
  promise: Promise<Ready>
  controller: AbortController
  waiting: number
}

/** A file of this machine may change at any time, and looking costs little; of a remote one only its age is looked at. */
const FRESH_MS = 1000
/** For what is remembered of sources without their bytes: some ten thousand of them. */
const SOURCES_BYTES = 4 * 1024 ** 2
/** What an entry takes besides its key and its image. */
const ENTRY_BYTES = 512
/** Images that wait to be made better in the background. Beyond it they stay as they are until asked for again. */
const MAX_REFINEMENTS = 1000

export class ImageService {
  readonly queue: WorkQueue
  readonly remote: RemoteOptions
  private readonly cache: Cache | null
  private readonly memory: LRUCache<string, Kept>
  private readonly sources = new LRUCache<string, Known & { freshUntil: number }>({
    maxSize: SOURCES_BYTES,
    sizeCalculation: (_, key) => key.length + ENTRY_BYTES,
  })
  private readonly shared = new Map<string, Shared>()
  private readonly refinements = new Map<string, () => Promise<void>>()
  private readonly fingerprint = fingerprint()
  private refining = false
  private readonly closing = new AbortController()

  constructor(private readonly options: ResolvedServerOptions) {
    this.queue = new WorkQueue(options.concurrency ?? availableParallelism() + 1, options.maxQueue)
    this.cache = openCache(options.cache, process.cwd())
    this.memory = new LRUCache({
      maxSize: Math.max(1, options.memory),
      // Keys of the longest URLs are larger than many an image.
      sizeCalculation: ({ body }, key) => body.length + key.length + ENTRY_BYTES,
    })
    const { remotePatterns, allowPrivateNetwork, resolver, maxSourceBytes, fetchTimeoutMs } = options
    const limits = { maxBytes: maxSourceBytes, timeoutMs: fetchTimeoutMs }
    this.remote = { patterns: remotePatterns, allowPrivateNetwork, resolver, ...limits }
  }

  get memoryBytes(): number {
    return this.memory.calculatedSize
  }

  get inFlight(): number {
    return this.shared.size
  }

  /** Ends what goes on in the background, and the cache's connection. */
  async close(): Promise<void> {
    this.refinements.clear()
    this.closing.abort(new Error('The handler was closed.'))
    await this.cache?.close()
  }

  /** An image in memory that needs no second look, at once. */
  recent({ key }: ImageQuery): { image: ServedImage; origin: ImageOrigin } | null {
    const kept = this.memory.get(key)
    return kept && kept.freshUntil > performance.now() ? { image: kept, origin: 'memory' } : null
  }

  /** An image for a query. A stale one is served at once and looked at again behind it. */
  async get(query: ImageQuery, signal?: AbortSignal): Promise<{ image: ServedImage; origin: ImageOrigin }> {
    const { key } = query
    const kept = this.memory.get(key)
    if (!kept) return this.join(key, query, signal)
    if (kept.freshUntil > performance.now()) return { image: kept, origin: 'memory' }
    this.revalidate(key, query, kept).catch(error => {
      // Gone is gone; after any other failure the old one is better than none.
      if (error instanceof HttpError && error.status === 404) this.memory.delete(key)
    })
    return { image: kept, origin: 'stale' }
  }

  private async revalidate(key: string, query: ImageQuery, kept: Kept): Promise<void> {
    kept.freshUntil = performance.now() + FRESH_MS
    const source = await this.recall(query.url)
    if (source?.hash !== kept.source) await this.join(key, query)
  }

  private async join(key: string, query: ImageQuery, signal?: AbortSignal) {
    signal?.throwIfAborted()
    const shared = this.shared.get(key) ?? this.start(key, query)
    shared.waiting++
    let leave = () => {}
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal?.reason)
    })
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([shared.promise, left])
    } finally {
      signal?.removeEventListener('abort', leave)
      shared.waiting--
      if (shared.waiting === 0) this.giveUp(key, shared)
    }
  }

  /** Who comes from now on must not wait for what was given up. */
  private giveUp(key: string, shared: Shared): void {
    if (this.shared.get(key) === shared) this.shared.delete(key)
    shared.controller.abort(new Error('Nobody waits for the image any more.'))
  }

  private start(key: string, query: ImageQuery): Shared {
    const controller = new AbortController()
    const promise = this.make(key, query, controller.signal).then(({ image, origin }) => {
      this.memory.set(key, image)
      return { image, origin }
    })
    const shared = { promise, controller, waiting: 0 }
    this.shared.set(key, shared)
    const forget = () => {
      if (this.shared.get(key) === shared) this.shared.delete(key)
    }
    // Whoever waits hears of a failure; if nobody does, nobody has to.
    promise.then(forget, forget)
    return shared
  }

  private async make(key: string, query: ImageQuery, signal: AbortSignal): Promise<Ready> {
    const known = await this.recall(query.url)
    const ready = known && (await this.readyOf(key, query, known))
    // One turn for everything that takes memory: a source that was read does not wait.
    return ready || this.queue.run(() => this.makeInTurn(key, query, signal), signal)
  }

  /** What the cache has of the first choice. */
  private async readyOf(key: string, query: ImageQuery, source: Source): Promise<Ready | null> {
    const [job] = this.jobsOf(query, source)
    const found = job && (await this.fromCache(key, source, job))
    return found && isWorthIt(job, found, source) ? { image: await this.keep(found, source), origin: 'cache' } : null
  }

  private async makeInTurn(key: string, query: ImageQuery, signal: AbortSignal): Promise<Ready> {
    const source = await this.sourceOf(query.url, signal)
    for (const job of this.jobsOf(query, source)) {
      const kept = await this.fromCache(key, source, job)
      const found = kept ?? (await this.encode(key, source, job, signal))
      if (!found || !isWorthIt(job, found, source)) continue
      return { image: await this.keep(found, source), origin: kept ? 'cache' : 'made' }
    }
    throw new HttpError(406, 'The image cannot be made in a format that the client takes.')
  }

  /** What may be tried, best first. Some animations cannot be resized: they are sent in their own size, if at all. */
  private *jobsOf(
    { width: asked, minScore, accepted }: ImageQuery,
    { format, width: own }: Source,
  ): Generator<ImageJob> {
    // Nothing is enlarged: all widths above the source's are one job.
    const width = Math.min(asked, own)
    const engine = { ...this.options.engine, minScore }
    const all = accepted.flat()
    const keepOriginal = !isNamedOnly(format) || all.includes(format as Format)
    for (const formats of accepted) yield { kind: 'image', formats, engine, resize: { width }, keepOriginal }
    if (keepOriginal) yield { kind: 'image', formats: all, engine }
  }

  /** From the cache; with `refine`, what was made quickly counts until there is better. */
  private async fromCache(key: string, source: Source, job: ImageJob): Promise<Encoded | null> {
    const best = await this.cached(source, job)
    if (best || !this.refines(job)) return best
    const quick = await this.cached(source, quickly(job))
    if (quick) this.refineLater(key, source, job)
    return quick
  }

  private refines = ({ engine }: ImageJob): boolean =>
    this.options.refine && (engine.effort !== 'fast' || engine.verify === true)

  private async cached({ hash }: Known, job: ImageJob): Promise<Encoded | null> {
    return (await this.cache?.get(await keyOfHash(hash, job, this.fingerprint))) ?? null
  }

  /** Null if none of the formats can hold the image. */
  private async encode(key: string, source: Source, job: ImageJob, signal: AbortSignal): Promise<Encoded | null> {
    try {
      if (!this.refines(job)) return await this.produce(source, job, signal)
      const quick = await this.produce(source, quickly(job), signal)
      this.refineLater(key, source, job)
      return quick
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_PIXRACE_NO_CANDIDATE') return null
      throw error
    }
  }

  private async produce(source: Source, job: ImageJob, signal: AbortSignal): Promise<Encoded> {
    const bytes = await source.read(signal)
    const encoded = await run(bytes, job, signal)
    await this.cache?.set(await keyOfHash(await contentHash(bytes), job, this.fingerprint), encoded)
    return encoded
  }

  /** One at a time, and only while nobody waits. Its source is read again then: a thousand of them are no matter for memory. */
  private refineLater(key: string, { url }: Source, job: ImageJob): void {
    if (this.refinements.size >= MAX_REFINEMENTS) return
    this.refinements.set(key, () =>
      this.queue.runBehind(async () => {
        const { signal } = this.closing
        signal.throwIfAborted()
        const source = await this.sourceOf(url, signal)
        const encoded = await this.produce(source, job, signal)
        if (isWorthIt(job, encoded, source)) this.memory.set(key, await this.keep(encoded, source))
      }),
    )
    if (!this.refining) void this.refineAll()
  }

  private async refineAll(): Promise<void> {
    this.refining = true
    for (const [key, refine] of this.refinements) {
      this.refinements.delete(key)
      // What cannot be made better stays as it is.
      await refine().catch(() => {})
    }
    this.refining = false
  }

  private async keep({ images: [image] }: Encoded, { maxAge, hash }: Source): Promise<Kept> {
    if (!image) throw new HttpError(500, 'The image could not be made.')
    const etag = `"${(await contentHash(image.data)).slice(0, 27)}"`
    const freshUntil = performance.now() + FRESH_MS
    const { data, format } = image
    return { body: data, type: mediaType(format), format, etag, maxAge, source: hash, freshUntil }
  }

  /** A source that needs no reading: it was read before, and is the same or fresh still. */
  private async recall(url: string): Promise<Source | null> {
    if (url.startsWith('/')) return this.localSource(url, true)
    const known = this.sources.get(url)
    if (!known || known.freshUntil <= performance.now()) return null
    return { ...known, url, read: async signal => (await this.fetch(url, signal)).content }
  }

  private async sourceOf(url: string, signal: AbortSignal): Promise<Source> {
    const known = url.startsWith('/') ? await this.localSource(url, false) : await this.recall(url)
    if (known) return known
    const { found, content } = await this.fetch(url, signal)
    return { ...found, url, read: async () => content }
  }

  private async localSource(url: string, onlyKnown: boolean): Promise<Source | null> {
    const { maxAge, maxSourceBytes, roots } = this.options
    const { file, bytes, changed } = await findLocal(url, roots)
    if (bytes > maxSourceBytes) throw new HttpError(413, 'The image is too large.')
    const read = () => fs.readFile(file)
    const key = `${file} ${bytes} ${changed}`
    const known = this.sources.get(key)
    if (known || onlyKnown) return known ? { ...known, url, read } : null
    const found = { ...(await knownOf(await read())), maxAge }
    this.sources.set(key, { ...found, freshUntil: Number.POSITIVE_INFINITY })
    return { ...found, url, read }
  }

  private async fetch(url: string, signal: AbortSignal): Promise<{ found: Known; content: Buffer }> {
    const { bytes: content, maxAge } = await fetchRemote(new URL(url), this.remote, signal)
    const found = { ...(await knownOf(content)), maxAge: Math.max(this.options.maxAge, maxAge ?? 0) }
    this.sources.set(url, { ...found, freshUntil: performance.now() + found.maxAge * 1000 })
    return { found, content }
  }
}

const quickly = (job: ImageJob): ImageJob => ({ ...job, engine: { ...job.engine, effort: 'fast', verify: false } })

/** Fewer pixels in more bytes happen to small animations: then the source itself is better. */
const isWorthIt = ({ resize, keepOriginal }: ImageJob, { images: [image] }: Encoded, { bytes }: Known): boolean =>
  resize === undefined || keepOriginal === false || (image?.data.length ?? 0) <= bytes

/** By its bytes: what a server or a name says of a file is no matter. */
async function knownOf(content: Buffer): Promise<Omit<Known, 'maxAge'>> {
  const format = sniff(content)
  if (!format) throw new HttpError(415, 'The resource is no image of a supported format.')
  // What the engine thinks of a strange header it says when it makes the image.
  const width = (await pixelsOf(content))?.width ?? Number.POSITIVE_INFINITY
  return { hash: await contentHash(content), format, bytes: content.length, width }
}
