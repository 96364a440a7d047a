// Options of the image handler: read once, into a type that cannot be wrong afterwards.
import { resolve } from 'node:path'
import type { CacheOptions } from '../cache/index.js'
import { atLeast, boolean, check, isListOf, isObject, isWithin, optionError, pick, type Rule } from '../core/checks.js'
import { checkEngineOptions } from '../core/jobs.js'
import { type EngineOptions, FORMATS, isFormats } from '../core/options.js'
import type { Format } from '../engine.js'
import type { Roots } from './local.js'
import type { LocalPattern, RemotePattern } from './patterns.js'
import { type Resolver, systemResolver } from './remote.js'

/** Options of the engine that hold for every image; the score to reach comes with the request. */
export type ServerEngineOptions = Pick<EngineOptions, (typeof ENGINE_OPTIONS)[number]>
const ENGINE_OPTIONS = ['effort', 'flatten', 'metadata', 'colorProfile', 'limits'] as const

export interface ImageHandlerOptions extends ServerEngineOptions {
  /**
   * Where images with a path as `url` are: a folder, or folders by the prefix of the path, of which the first that has the
   * file is taken. Nothing outside of them is served, and no file or folder whose name begins with a dot. Default: 'public'.
   */
  roots?: string | Record<string, string>
  /** Which other servers may be asked for images, as in `next/image`. Default: none. */
  remotePatterns?: RemotePattern[]
  /** Which paths below the roots may be asked for, with which query, as in `next/image`. Default: all, with any. */
  localPatterns?: LocalPattern[]
  /** Whether other servers may have addresses of private networks. Default: false. */
  allowPrivateNetwork?: boolean
  /** Gives the addresses of a host name. Default: the system's resolver. */
  resolver?: Resolver
  /** Formats to make, if the client takes them. Default: all four. */
  formats?: Format[]
  /** Widths that may be asked for, in pixels. Default: the sixteen of `next/image`. */
  widths?: number[]
  /** Values of `q` that may be asked for: the SSIMULACRA2 score to reach, 1 to 100. The first is the default. Default: [75]. */
  qualities?: number[]
  /**
   * Whether the score of an image is made sure of before it is sent, and not only expected from a sample of the picture.
   * Default: false, with `refine` true.
   */
  verify?: boolean
  /** How long clients and proxies keep an image, in seconds. An upstream's longer `max-age` wins. Default: 14,400 (4 h). */
  maxAge?: number
  /**
   * Whether a first request is answered with effort 'fast', whatever `effort` and `verify` are, and the image made as they
   * say in the background. Default: false.
   */
  refine?: boolean
  /** Finished images, shared with the plugins' cache. Default: true, a folder below node_modules/.cache. */
  cache?: CacheOptions
  /** Images that are kept in memory, in bytes. Default: 67,108,864 (64 MiB). */
  memory?: number
  /** Images that are made at once; each uses all threads. Default: the number of threads, plus one. */
  concurrency?: number
  /** Images that may wait to be made; beyond it requests get a 503 with `Retry-After`. Default: 256. */
  maxQueue?: number
  /** Largest source in bytes. Default: 52,428,800 (50 MiB). */
  maxSourceBytes?: number
  /** Longest time for fetching a remote image, redirects and body included, in milliseconds. Default: 7,000. */
  fetchTimeoutMs?: number
  /** Whether `Sec-CH-Width` and `Save-Data` are heeded. Default: false. */
  clientHints?: boolean
  /** Whether answers say where the time went (`Server-Timing`). Default: false. */
  serverTiming?: boolean
  /** Called after every answer; what it throws is ignored. */
  onRequest?: (event: RequestEvent) => void
}

/** What a log wants to know of an answer. */
export interface RequestEvent {
  status: number
  /** As it came; null where there was none. */
  url: string | null
  width: number | null
  format: string | null
  bytes: number
  /** Where the image came from. */
  source: 'memory' | 'cache' | 'made' | 'stale' | 'none'
  durationMs: number
  error?: Error
}

export interface ResolvedServerOptions {
  engine: ServerEngineOptions & { verify: boolean }
  roots: Roots
  remotePatterns: RemotePattern[]
  localPatterns: LocalPattern[]
  allowPrivateNetwork: boolean
  resolver: Resolver
  formats: Format[]
  widths: number[]
  qualities: number[]
  maxAge: number
  refine: boolean
  cache: CacheOptions
  memory: number
  concurrency: number | null
  maxQueue: number
  maxSourceBytes: number
  fetchTimeoutMs: number
  clientHints: boolean
  serverTiming: boolean
  onRequest: ((event: RequestEvent) => void) | null
}

/** `deviceSizes` and `imageSizes` of next/image. */
export const WIDTHS = [16, 32, 48, 64, 96, 128, 256, 384, 640, 750, 828, 1080, 1200, 1920, 2048, 3840]

const aFunction: Rule = ['a function', value => typeof value === 'function']
const isText = (value: unknown) => typeof value === 'string' && value !== ''

/**
 * Whether it is an object of texts with none but these names; each may be missing. A regular expression has none, and would
 * allow all.
 */
const isTexts = (value: unknown, names: string[]): boolean =>
  isObject(value) &&
  !(value instanceof RegExp) &&
  Object.entries(value).every(
    ([name, text]) => names.includes(name) && (text === undefined || typeof text === 'string'),
  )

function isRemotePattern(value: unknown): boolean {
  if (!isTexts(value, ['protocol', 'hostname', 'port', 'pathname', 'search'])) return false
  const { protocol = 'https', hostname } = value as Record<string, unknown>
  return isText(hostname) && (protocol === 'http' || protocol === 'https')
}

const isListOfAny = (holds: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(holds)

const RULES: Record<string, Rule> = {
  roots: [
    'a folder, or an object of folders by prefix',
    value => isText(value) || (isObject(value) && Object.values(value).every(isText) && Object.keys(value).length > 0),
  ],
  remotePatterns: ['an array of { protocol?, hostname, port?, pathname?, search? }', isListOfAny(isRemotePattern)],
  localPatterns: ['an array of { pathname?, search? }', isListOfAny(value => isTexts(value, ['pathname', 'search']))],
  allowPrivateNetwork: boolean,
  resolver: aFunction,
  formats: [
    "a non-empty array of 'avif', 'webp', 'jpeg' and 'png', none twice, with 'jpeg' or 'png' among them",
    value => isFormats(value) && (value as Format[]).some(format => format === 'jpeg' || format === 'png'),
  ],
  widths: ['a non-empty array of integers from 1 to 65,535, none twice', isListOf(isWithin(1, 65_535))],
  qualities: ['a non-empty array of integers from 1 to 100, none twice', isListOf(isWithin(1, 100))],
  maxAge: atLeast(0),
  verify: boolean,
  refine: boolean,
  memory: atLeast(0),
  concurrency: atLeast(1),
  maxQueue: atLeast(0),
  maxSourceBytes: atLeast(1),
  // Longer than a timer can be set for it would fire at once.
  fetchTimeoutMs: ['an integer from 1 to 2,147,483,647', isWithin(1, 2 ** 31 - 1)],
  clientHints: boolean,
  serverTiming: boolean,
  onRequest: aFunction,
}

function rootsOf(roots: string | Record<string, string>): Roots {
  if (typeof roots === 'string') return [{ prefix: '/', folder: resolve(roots) }]
  return Object.entries(roots).map(([prefix, folder]) => ({ prefix, folder: resolve(folder) }))
}

/** Options with their defaults. Throws `ERR_PIXRACE_INVALID_OPTION`, for unknown keys too. */
export function resolveServerOptions(options: ImageHandlerOptions = {}): ResolvedServerOptions {
  if (!isObject(options)) throw optionError('options', 'an object', options)
  check(options, RULES, '', [...ENGINE_OPTIONS, 'cache'])
  const engine = pick(options, ENGINE_OPTIONS)
  checkEngineOptions(engine)
  return {
    engine: { ...engine, verify: options.verify ?? options.refine ?? false },
    roots: rootsOf(options.roots ?? 'public'),
    remotePatterns: options.remotePatterns ?? [],
    localPatterns: options.localPatterns ?? [{ pathname: '**' }],
    allowPrivateNetwork: options.allowPrivateNetwork ?? false,
    resolver: options.resolver ?? systemResolver,
    formats: options.formats ?? [...FORMATS],
    widths: options.widths ?? WIDTHS,
    qualities: options.qualities ?? [75],
    maxAge: options.maxAge ?? 14_400,
    refine: options.refine ?? false,
    cache: options.cache ?? true,
    memory: options.memory ?? 64 * 1024 ** 2,
    concurrency: options.concurrency ?? null,
    maxQueue: options.maxQueue ?? 256,
    maxSourceBytes: options.maxSourceBytes ?? 50 * 1024 ** 2,
    fetchTimeoutMs: options.fetchTimeoutMs ?? 7000,
    clientHints: options.clientHints ?? false,
    serverTiming: options.serverTiming ?? false,
    onRequest: options.onRequest ?? null,
  }
}
