// The cache of finished images. Trouble with it never fails a build: what cannot be read is not there, what cannot be
// written is made again the next time.
import { resolve } from 'node:path'
import { createStorage } from 'unstorage'
import { atLeast, optionError, type Rule } from '../core/checks.js'
import type { Encoded } from '../core/types.js'
import { decodeEntry, encodeEntry, LAYOUT_VERSION, sha256 } from './entry.js'
import { fileDriver, pruneFolder } from './file-driver.js'

/** Where finished images are kept: true is a folder of files, false is no cache. */
export type CacheOptions = boolean | CacheSettings

/** What is used of a storage of `unstorage`. */
export interface CacheStorage {
  getItemRaw(key: string): Promise<unknown>
  setItemRaw(key: string, value: unknown): Promise<void>
  removeItem(key: string): Promise<void>
  dispose(): Promise<void>
}

export interface CacheSettings {
  /** The folder, absolute or from the project's root. Excludes `storage`. Default: 'node_modules/.cache/pixrace'. */
  dir?: string
  /**
   * A storage of `unstorage`, for a cache that several machines share: what `createStorage` gives, for instance with the
   * driver for Redis. Its keys begin with 'pixrace:'. What to keep and for how long is up to its server. It is disposed of
   * at the end of the build; where one process makes several, a function gives each its own. Excludes `dir` and `maxBytes`.
   * Default: none.
   */
  storage?: CacheStorage | (() => CacheStorage)
  /**
   * Size of the folder in bytes, an integer of at least 0. At the end of a build the least recently used entries beyond it
   * are removed. Excludes `storage`. Default: 1,073,741,824 (1 GiB).
   */
  maxBytes?: number
}

export interface Cache {
  /** What was kept under the key; null if nothing was, if it is damaged (then it is removed) or if there is trouble. */
  get(key: string): Promise<Encoded | null>
  /** Keeps a value, unless there is trouble. */
  set(key: string, value: Encoded): Promise<void>
  /** Brings the folder down to `maxBytes`. Does nothing with a `storage`, whose server decides what it keeps. */
  prune(): Promise<void>
  /** Disposes of the storage, whose connection would keep the process alive. From then on nothing is found or kept. */
  close(): Promise<void>
  /** Trouble so far, in sentences to be shown as warnings: at most the first one, and that the cache was given up. */
  readonly failures: readonly string[]
}

/** What tests make shorter. */
export interface CallLimits {
  /** Longest wait for one call of the storage, in milliseconds. */
  timeoutMs: number
  /** The cache is given up when calls that failed slowly have taken this long together, in milliseconds. */
  patienceMs: number
}

const FOLDER = 'node_modules/.cache/pixrace'
/** Some thousand optimised photographs; CI services keep caches of several times that. */
const MAX_BYTES = 1024 ** 3
/** A server that is up answers within a second; one that is down must not hold up a build, which can do without. */
const TIMEOUT_MS = 5000
/** Three timeouts: one or two may be a server's restart. */
const PATIENCE_MS = 3 * TIMEOUT_MS
/** A disk or a server that refuses does so at once. That costs nothing, and a folder that only can be read is worth asking. */
const QUICK_MS = 100
/** Trimming looks at every file of the folder; no build waits longer for it. */
const PRUNE_TIMEOUT_MS = 30_000

/** The cache of a project, null for `false`. Throws `ERR_PIXRACE_INVALID_OPTION`; touches no file yet. */
export function openCache(options: CacheOptions, root: string, limits: Partial<CallLimits> = {}): Cache | null {
  const settings = checkCacheOptions(options)
  if (!settings) return null
  const { storage, dir = FOLDER, maxBytes = MAX_BYTES } = settings
  if (storage) {
    const opened = typeof storage === 'function' ? storage() : storage
    if (!isStorage(opened)) refuse('cache.storage', A_STORAGE, opened)
    return new StoredCache(opened, 'pixrace:', async () => {}, limits)
  }
  const folder = resolve(root, dir)
  const files = createStorage({ driver: fileDriver({ dir: folder }) })
  return new StoredCache(files, '', () => pruneFolder(folder, maxBytes), limits)
}

const METHODS = ['getItemRaw', 'setItemRaw', 'removeItem', 'dispose'] as const

const isStorage = (value: unknown): value is CacheStorage =>
  typeof value === 'object' && value !== null && METHODS.every(name => typeof Reflect.get(value, name) === 'function')

const A_STORAGE = 'a storage of unstorage, as `createStorage` gives it, or a function that gives one'

const RULES: Record<keyof CacheSettings, Rule> = {
  dir: ['a path', value => typeof value === 'string' && value !== ''],
  storage: [A_STORAGE, value => typeof value === 'function' || isStorage(value)],
  maxBytes: atLeast(0),
}

// Objects by the name of their class: a client or a driver has passwords in it, and may be no JSON.
function refuse(option: string, expected: string, value: unknown): never {
  const isPrimitive = value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)
  const received = isPrimitive ? value : ((value as object).constructor?.name ?? typeof value)
  throw optionError(option, expected, received)
}

/** Null for no cache. Throws `ERR_PIXRACE_INVALID_OPTION`. */
export function checkCacheOptions(options: CacheOptions = true): CacheSettings | null {
  if (typeof options === 'boolean') return options ? {} : null
  if (!isPlain(options)) refuse('cache', 'a boolean or an object', options)
  for (const [key, value] of Object.entries(options)) {
    const name = `cache.${key}`
    if (!Object.hasOwn(RULES, key)) refuse(name, `one of ${Object.keys(RULES).join(', ')}`, value)
    const [expected, holds] = RULES[key as keyof CacheSettings]
    if (value === undefined) continue
    if (!holds(value)) refuse(name, expected, value)
    if (key !== 'storage' && options.storage) refuse(name, `no \`${key}\` beside \`cache.storage\``, value)
  }
  return options
}

class StoredCache implements Cache {
  readonly failures: string[] = []
  #storage: CacheStorage
  #prefix: string
  #prune: () => Promise<void>
  #timeoutMs: number
  /** How much longer failing calls may take together. */
  #patienceMs: number

  constructor(storage: CacheStorage, prefix: string, prune: () => Promise<void>, limits: Partial<CallLimits>) {
    this.#storage = storage
    this.#prefix = prefix
    this.#prune = prune
    this.#timeoutMs = limits.timeoutMs ?? TIMEOUT_MS
    this.#patienceMs = limits.patienceMs ?? PATIENCE_MS
  }

  async get(key: string) {
    const name = this.#prefix + key
    const value: unknown = await this.#ask('read', () => this.#storage.getItemRaw(name))
    if (value === null || value === undefined) return null
    const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value
    const entry = bytes instanceof Uint8Array ? await decodeEntry(key, bytes) : null
    if (!entry) await this.#ask('written', () => this.#storage.removeItem(name))
    return entry
  }

  async set(key: string, value: Encoded) {
    const store = async () => this.#storage.setItemRaw(this.#prefix + key, await encodeEntry(key, value))
    await this.#ask('written', store)
  }

  async prune() {
    if (this.#patienceMs > 0) await this.#attempt('trimmed', this.#prune, PRUNE_TIMEOUT_MS)
  }

  async close() {
    this.#patienceMs = 0
    // Even a cache that was given up: its driver may still try to connect.
    await this.#attempt('closed', () => this.#storage.dispose())
  }

  /** What the call gives; null where it fails, takes too long or the cache was given up. */
  async #ask<T>(what: string, call: () => Promise<T>): Promise<T | null> {
    return this.#patienceMs > 0 ? this.#attempt(what, call) : null
  }

  async #attempt<T>(what: string, call: () => Promise<T>, timeoutMs = this.#timeoutMs): Promise<T | null> {
    const started = performance.now()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      const late = () => reject(new Error(`no answer within ${timeoutMs} ms`))
      timer = setTimeout(late, timeoutMs)
    })
    try {
      // `async`, for a storage that throws instead of rejecting.
      return await Promise.race([(async () => call())(), timeout])
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (this.failures.length === 0) this.failures.push(`The cache cannot be ${what}: ${reason}.`)
      this.#lose(performance.now() - started)
      return null
    } finally {
      clearTimeout(timer)
    }
  }

  #lose(elapsedMs: number) {
    if (elapsedMs < QUICK_MS || this.#patienceMs <= 0) return
    // Rounded up, because a timer may fire a moment early.
    this.#patienceMs -= Math.ceil(elapsedMs)
    if (this.#patienceMs <= 0) this.failures.push('The cache fails too slowly and is not used any more.')
  }
}

/**
 * The key of a job: it changes with any byte of the input, any option and the fingerprint of what makes the images, and not
 * with the order of options. The job is plain data; fields that are undefined do not count.
 */
export async function cacheKey(input: Uint8Array, job: unknown, fingerprint: string): Promise<string> {
  return keyOfHash(await contentHash(input), job, fingerprint)
}

/** The same, for an input of which the `contentHash` is known. */
export async function keyOfHash(content: string, job: unknown, fingerprint: string): Promise<string> {
  // As JSON, in which no field runs into the next.
  const text = JSON.stringify([`pixrace cache ${LAYOUT_VERSION}`, content, canonical(job), fingerprint])
  return (await sha256(Buffer.from(text))).toString('hex')
}

/** SHA-256 of a file in the letters of URLs and file names. */
export async function contentHash(bytes: Uint8Array): Promise<string> {
  return (await sha256(bytes)).toString('base64url')
}

/** Whether it is an object literal, in whichever realm it was made. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** JSON with its keys in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)) {
    return JSON.stringify(value)
  }
  // Of anything else JSON would make {} or null, whatever its value: two jobs would share a key.
  if (!isPlain(value)) throw new TypeError('A job of the cache is not plain data.')
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const sorted = entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${sorted.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`
}
