// Options of the plugins: read once, into a type that cannot be wrong afterwards.
import picomatch from 'picomatch'
import { type CacheOptions, checkCacheOptions } from '../cache/index.js'
import type { Format, OptimizeOptions } from '../engine.js'
import { atLeast, boolean, check, isBoolean, isListOf, isObject, optionError, pick, type Rule } from './checks.js'
import { IMAGE_FILE, OTHER_IMAGE_FILE } from './formats.js'

/** Options of the engine that hold for every image; see `OptimizeOptions` of `pixrace`. */
export type EngineOptions = Pick<OptimizeOptions, (typeof ENGINE_OPTIONS)[number]>
const ENGINE_OPTIONS = [
  'quality',
  'minScore',
  'maxBytes',
  'lossless',
  'verify',
  'effort',
  'flatten',
  'metadata',
  'colorProfile',
  'limits',
] as const

/** A glob (from the project's root), a regular expression on the path, or several of them. */
export type Pattern = string | RegExp | (string | RegExp)[]

export interface Budget {
  /** No image file of the build may be larger. Bytes, an integer of at least 1. Default: none. */
  maxBytesPerImage?: number
  /** Least saving over all images together, as a share of their bytes, 0 to 1. Default: none. */
  minSaving?: number
}

/** What fails a build: an image that could not be optimised, any warning, or nothing. */
export type FailOn = 'error' | 'warning' | 'never'

export interface PixraceOptions extends EngineOptions {
  /** Images to optimise. Default: every AVIF, WebP, JPEG, PNG and GIF. */
  include?: Pattern
  /** Images to leave alone. Default: none. */
  exclude?: Pattern
  /**
   * Whether images may change their format: true tries all four, a list those; every reference follows. Icons, Open Graph
   * images and those of web app manifests keep theirs, as does what is copied (`public/`). Default: false.
   */
  convert?: boolean | Format[]
  /**
   * 'picture' wraps each `<img>` of HTML files in a `<picture>` of the formats that are smaller, and sets its width and
   * height where they are missing. Default: false.
   */
  html?: false | 'picture'
  /** Whether the images of Vite's `publicDir` are optimised in the output folder. Default: true. */
  publicDir?: boolean
  /** Whether images are optimised in development too, each when it is asked for, through the cache. Default: false. */
  dev?: boolean
  /**
   * Names of optimised images below the output folder: a template of [name], [hash], [hash:n] (n from 4 to 43) and [ext],
   * the same in every bundler. Default: the bundler's own template (`assetFileNames`, `assetModuleFilename`).
   */
  fileName?: string
  /** The cache. true: a folder below node_modules/.cache. Default: true. */
  cache?: CacheOptions
  /** When the build fails; the original is used and a warning shown otherwise. Default: 'never'. */
  failOn?: FailOn
  /** Bounds that fail the build where they are passed, whatever `failOn` is. Default: none. */
  budget?: Budget
  /** Whether progress and the table are printed. Warnings always are. Default: true. */
  report?: boolean
  /** Writes a JSON record of every image, its outputs and candidates: true is 'pixrace.json' in the output folder. Default: false. */
  manifest?: boolean | string
}

export interface ResolvedOptions {
  engine: EngineOptions
  /** Formats to try where an image may change its own; null where none may. */
  convert: Format[] | null
  html: false | 'picture'
  publicDir: boolean
  dev: boolean
  fileName: string | null
  cache: CacheOptions
  failOn: FailOn
  budget: Budget
  report: boolean
  manifest: string | null
  include: Pattern
  exclude: Pattern
}

export const FORMATS: readonly Format[] = ['avif', 'webp', 'jpeg', 'png']
export const isFormats = isListOf(value => FORMATS.includes(value as Format))

const isPattern = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '') ||
  value instanceof RegExp ||
  (Array.isArray(value) && value.every(item => !Array.isArray(item) && isPattern(item)))
const isPath = (value: unknown) =>
  typeof value === 'string' && value !== '' && !/^(?:[\\/]|[a-z]:)|(?:^|[\\/])\.\.(?:[\\/]|$)/i.test(value)

const RULES: Record<string, Rule> = {
  include: ['a glob, a regular expression or an array of them', isPattern],
  exclude: ['a glob, a regular expression or an array of them', isPattern],
  convert: [
    "a boolean or a non-empty array of 'avif', 'webp', 'jpeg' and 'png', none twice",
    value => isBoolean(value) || isFormats(value),
  ],
  html: ["false or 'picture'", value => value === false || value === 'picture'],
  publicDir: boolean,
  dev: boolean,
  fileName: [
    'a relative path with [ext], made of [name], [hash], [hash:n] (n from 4 to 43) and [ext]',
    value => isPath(value) && isTemplate(value as string),
  ],
  failOn: ["'error', 'warning' or 'never'", value => ['error', 'warning', 'never'].includes(value as string)],
  budget: ['an object', isObject],
  report: boolean,
  manifest: ['a boolean or a relative path', value => isBoolean(value) || isPath(value)],
}

const BUDGET_RULES: Record<string, Rule> = {
  maxBytesPerImage: atLeast(1),
  minSaving: ['a number from 0 to 1', value => typeof value === 'number' && value >= 0 && value <= 1],
}

function isTemplate(text: string): boolean {
  const tokens: string[] = text.match(/\[[^\]]*\]/g) ?? []
  const known = tokens.every(token => {
    const length = /^\[hash:(\d+)\]$/.exec(token)?.[1]
    return length ? Number(length) >= 4 && Number(length) <= 43 : ['[name]', '[hash]', '[ext]'].includes(token)
  })
  return known && tokens.includes('[ext]')
}

/**
 * Options with their defaults. The engine's own are passed on as they are: it checks them when a build begins.
 * Throws `ERR_PIXRACE_INVALID_OPTION`, for unknown keys too.
 */
export function resolveOptions(options: PixraceOptions = {}): ResolvedOptions {
  if (!isObject(options)) throw optionError('options', 'an object', options)
  check(options, RULES, '', [...ENGINE_OPTIONS, 'cache'])
  check(options.budget ?? {}, BUDGET_RULES, 'budget.')
  checkCacheOptions(options.cache)
  const { convert = false, manifest = false } = options
  return {
    engine: pick(options, ENGINE_OPTIONS),
    convert: convert === true ? [...FORMATS] : convert || null,
    html: options.html ?? false,
    publicDir: options.publicDir ?? true,
    dev: options.dev ?? false,
    fileName: options.fileName ?? null,
    cache: options.cache ?? true,
    failOn: options.failOn ?? 'never',
    budget: options.budget ?? {},
    report: options.report ?? true,
    manifest: manifest === true ? 'pixrace.json' : manifest || null,
    include: options.include ?? [],
    exclude: options.exclude ?? [],
  }
}

const matcher = (pattern: Pattern) => {
  const tests = [pattern].flat().map(item => {
    // Not `test`, which remembers a place where the expression is global.
    if (item instanceof RegExp) return (path: string) => path.search(item) >= 0
    return picomatch(item.replace(/^\.?\//, ''), { dot: true })
  })
  return (path: string) => tests.some(matches => matches(path))
}

/** Which files are images to optimise, and which are images of other kinds. Paths are relative to the project's root. */
export function createFilter({ include, exclude }: Pick<ResolvedOptions, 'include' | 'exclude'>) {
  const all = [include].flat().length === 0
  const included = matcher(include)
  const excluded = matcher(exclude)
  const wanted = (path: string) => (all || included(path)) && !excluded(path)
  return {
    isImage: (path: string) => IMAGE_FILE.test(path) && wanted(path),
    isOther: (path: string) => OTHER_IMAGE_FILE.test(path) && wanted(path),
  }
}
