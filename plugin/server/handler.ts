// Answers to HTTP requests: `?url=&w=&q=`, as `/_next/image` has it.
import { posix } from 'node:path'
import { LRUCache } from 'lru-cache'
import { asHttpError, HttpError } from './errors.js'
import { localPath } from './local.js'
import { Metrics } from './metrics.js'
import { acceptedFormats } from './negotiate.js'
import {
  type ImageHandlerOptions,
  type RequestEvent,
  type ResolvedServerOptions,
  resolveServerOptions,
} from './options.js'
import { isAllowedHere } from './patterns.js'
import { mayFetch } from './remote.js'
import { type ImageOrigin, type ImageQuery, ImageService, type ServedImage } from './service.js'

/** A request, as far as images need it. */
export interface Incoming {
  method: string
  /** Path and query, or absolute. */
  url: string
  header(name: string): string | null
  signal?: AbortSignal
}

export interface Reply {
  status: number
  /** May be those of other replies too. */
  headers: Readonly<Record<string, string>>
  body: Uint8Array | null
}

/** Longest `url`, in characters; as in Next.js. */
const MAX_URL = 3072
const SAFE_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'none'; frame-src 'none'; sandbox;",
  'X-Content-Type-Options': 'nosniff',
}
const HINTS = ['Sec-CH-Width', 'Save-Data']
/** How much lower the score may be for a client that asks to save data. */
const SAVE_DATA = 15
/** For queries that were read once: some thousand of them. To read one takes longer than to send an image from memory. */
const QUERIES_BYTES = 4 * 1024 ** 2
/** What one takes besides its texts: the key that it is found by, and at most twice as much in it. */
const QUERY_BYTES = 512

export class ImageResponder {
  readonly service: ImageService
  private readonly options: ResolvedServerOptions
  private readonly metrics = new Metrics()
  private readonly queries = new LRUCache<string, { query: ImageQuery; asked: string | null }>({
    maxSize: QUERIES_BYTES,
    sizeCalculation: (_, key) => 3 * key.length + QUERY_BYTES,
  })
  private readonly headers = new WeakMap<ServedImage, Record<string, string>>()
  /** Headers that a query depends on. */
  private readonly heeded: readonly string[]

  constructor(options?: ImageHandlerOptions) {
    this.options = resolveServerOptions(options)
    this.heeded = this.options.clientHints ? ['accept', 'sec-ch-width', 'save-data'] : ['accept']
    this.service = new ImageService(this.options)
  }

  /** Never rejects, but for a client that went away. */
  async respond(request: Incoming): Promise<Reply> {
    const started = performance.now()
    const event: RequestEvent = {
      status: 500,
      url: null,
      width: null,
      format: null,
      bytes: 0,
      source: 'none',
      durationMs: 0,
    }
    let reply: Reply
    try {
      reply = await this.answer(request, event)
    } catch (error) {
      request.signal?.throwIfAborted()
      event.error = error as Error
      reply = this.refuse(asHttpError(error))
    }
    event.durationMs = performance.now() - started
    event.status = reply.status
    event.bytes = reply.body?.length ?? 0
    if (this.options.serverTiming) {
      const timing = `pixrace;desc="${event.source}";dur=${event.durationMs.toFixed(1)}`
      reply.headers = { ...reply.headers, 'Server-Timing': timing }
    }
    this.metrics.count(event)
    if (this.options.onRequest) this.log(event).catch(() => {})
    return request.method === 'HEAD' ? { ...reply, body: null } : reply
  }

  /** Asynchronous, for a log that rejects: one that fails must not cost an image, let alone the process. */
  private async log(event: RequestEvent): Promise<void> {
    await this.options.onRequest?.(event)
  }

  /** What Prometheus reads. */
  metricsText(): string {
    const { queue, memoryBytes, inFlight } = this.service
    return this.metrics.text({
      pixrace_images_in_flight: ['Distinct images that requests wait for.', inFlight],
      pixrace_images_running: ['Images that are being made.', queue.running],
      pixrace_images_queued: ['Images that wait to be made.', queue.length],
      pixrace_memory_cache_bytes: ['Bytes of images in memory.', memoryBytes],
    })
  }

  private async answer(request: Incoming, event: RequestEvent): Promise<Reply> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new HttpError(405, 'Only GET and HEAD are answered.', { Allow: 'GET, HEAD' })
    }
    const query = this.queryOf(request, event)
    const { image, origin } = this.service.recent(query) ?? (await this.service.get(query, request.signal))
    event.source = origin
    event.format = image.format
    const headers = this.headersOf(query, image, origin)
    if (!matches(request.header('if-none-match'), image.etag)) return { status: 200, headers, body: image.body }
    const { 'Content-Type': _, 'Content-Length': __, ...rest } = headers
    return { status: 304, headers: rest, body: null }
  }

  private headersOf(query: ImageQuery, image: ServedImage, origin: ImageOrigin): Record<string, string> {
    if (origin !== 'memory') return this.freshHeadersOf(query, image, origin)
    // Made once: an image in memory is of one path only, so that they stay the same.
    const headers = this.headers.get(image) ?? this.freshHeadersOf(query, image, origin)
    this.headers.set(image, headers)
    return headers
  }

  private freshHeadersOf({ url }: ImageQuery, image: ServedImage, origin: ImageOrigin): Record<string, string> {
    const { etag, maxAge, format, type, body } = image
    return {
      ...SAFE_HEADERS,
      'Cache-Control': `public, max-age=${maxAge}, must-revalidate`,
      'Content-Disposition': `inline; filename="${nameOf(url)}.${format === 'jpeg' ? 'jpg' : format}"`,
      ETag: etag,
      Vary: this.vary(),
      'X-Pixrace-Cache': origin.toUpperCase(),
      'Content-Type': type,
      'Content-Length': String(body.length),
    }
  }

  private vary = () => ['Accept', ...(this.options.clientHints ? HINTS : [])].join(', ')

  private refuse({ status, message, headers }: HttpError): Reply {
    const body = Buffer.from(`${message}\n`)
    return {
      status,
      headers: {
        ...SAFE_HEADERS,
        ...headers,
        'Cache-Control': 'no-store',
        'Content-Length': String(body.length),
        'Content-Type': 'text/plain; charset=utf-8',
        Vary: this.vary(),
      },
      body,
    }
  }

  /** The query, remembered by all that it comes from. */
  private queryOf(request: Incoming, event: RequestEvent): ImageQuery {
    // No header has a line break in it.
    let key = request.url
    for (const name of this.heeded) key += `\n${request.header(name) ?? '\n'}`
    const known = this.queries.get(key)
    if (known) {
      event.url = known.asked
      event.width = known.query.width
      return known.query
    }
    const query = this.parse(request, event)
    this.queries.set(key, { query, asked: event.url })
    return query
  }

  /** Each parameter at most once and with an allowed value. */
  private parse(request: Incoming, event: RequestEvent): ImageQuery {
    const searchParams = paramsOf(request.url)
    const one = (name: string): string | null => {
      const [value = null, ...more] = searchParams.getAll(name)
      if (more.length > 0) throw new HttpError(400, `\`${name}\` may be given once.`)
      return value
    }
    event.url = one('url')
    const url = this.urlOf(event.url)
    const width = this.widthOf(one('w'), request)
    event.width = width
    const minScore = this.scoreOf(one('q'), request)
    const accepted = acceptedFormats(request.header('accept'), this.options.formats)
    return { key: JSON.stringify([url, width, minScore, accepted]), url, width, minScore, accepted }
  }

  private urlOf(url: string | null): string {
    if (url === null || url === '') throw new HttpError(400, '`url` is missing.')
    if (url.length > MAX_URL) throw new HttpError(400, '`url` is too long.')
    // "//host" and "/\host" are other hosts to a browser.
    if (/^\/(?![/\\])/.test(url)) {
      const path = localPath(url)
      if (!isAllowedHere(path, url, this.options.localPatterns)) throw new HttpError(400, '`url` is not allowed.')
      return path
    }
    let parsed: URL
    try {
      parsed = new URL(url)
    } catch {
      throw new HttpError(400, '`url` is neither a path nor an absolute URL.')
    }
    // Again where it is fetched; here, because a refusal must not wait for a turn.
    if (!mayFetch(parsed, this.service.remote)) throw new HttpError(400, '`url` is not allowed.')
    parsed.hash = ''
    return parsed.href
  }

  private widthOf(text: string | null, request: Incoming): number {
    const { widths, clientHints } = this.options
    if (text === null && clientHints) {
      const hinted = Number(request.header('sec-ch-width') ?? 0)
      const most = Math.max(...widths)
      if (hinted > 0) return Math.min(...widths.filter(width => width >= Math.min(hinted, most)))
    }
    if (text === null) throw new HttpError(400, '`w` is missing.')
    const width = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
    if (!widths.includes(width)) throw new HttpError(400, '`w` is not an allowed width.')
    return width
  }

  private scoreOf(text: string | null, request: Incoming): number {
    const { qualities, clientHints } = this.options
    const score = text === null ? qualities[0] : /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0
    if (score === undefined || !qualities.includes(score)) throw new HttpError(400, '`q` is not an allowed quality.')
    const saves = clientHints && request.header('save-data')?.toLowerCase() === 'on'
    return saves ? Math.max(1, score - SAVE_DATA) : score
  }
}

function paramsOf(target: string): URLSearchParams {
  try {
    return new URL(target, 'http://localhost').searchParams
  } catch {
    throw new HttpError(400, 'The request is for no path.')
  }
}

const nameOf = (url: string): string => {
  const path = url.startsWith('/') ? url : new URL(url).pathname
  return posix.parse(path).name.replace(/[^\w.-]+/g, '_') || 'image'
}

/** Whether one of the tags is ours; weak ones count, as for every GET. */
const matches = (header: string | null, etag: string): boolean =>
  header !== null && (header.trim() === '*' || header.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag))
