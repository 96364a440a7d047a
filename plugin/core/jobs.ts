// What is asked of the engine for one source: data that names a cache entry, and its execution.

import type { Candidate, Format, ImageInfo, OptimizeOptions, OptimizeResult } from '../engine.js'
import { inspect, optimize, optimizeMany, optimizeSync, versions } from '../engine.js'
import type { EngineOptions } from './options.js'
import { canResize, shownSize } from './source.js'
import type { Encoded, EncodedImage } from './types.js'

/** One image in one file: the smallest of `formats`. */
export interface ImageJob {
  kind: 'image'
  formats: Format[]
  engine: EngineOptions
  /** Another size, for images that are made on demand. */
  resize?: { width: number }
  /** False where the source's format is of no use. Default: true. */
  keepOriginal?: boolean
}

export interface PictureRequest {
  /** In pixels, ascending; empty for the picture's own width alone. Those above it are its own width. */
  widths: number[]
  formats: Format[] | null
  placeholder: 'thumbhash' | 'blur' | 'color' | null
}

/** One image in several widths and formats. */
export interface PictureJob extends PictureRequest {
  kind: 'picture'
  engine: EngineOptions
}

export type Job = ImageJob | PictureJob

/** Everything that decides about bytes besides input and job: the versions of pixrace and of its codecs. */
export function fingerprint(): string {
  const { pixrace, codecs } = versions()
  return JSON.stringify([pixrace, Object.entries(codecs).sort()])
}

/** Throws `ERR_PIXRACE_INVALID_OPTION`. The engine looks at its options before it looks at the image, here of none. */
export function checkEngineOptions(engine: EngineOptions): void {
  try {
    optimizeSync(Uint8Array.of(0), engine)
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_PIXRACE_INVALID_OPTION') throw error
  }
}

const withoutData = ({ data: _, ...summary }: Candidate) => summary

function winner(result: OptimizeResult): EncodedImage {
  const { format, width, height, quality, score, isOriginal, passed, data } = result
  const candidates = result.candidates.map(withoutData)
  return { format, width, height, quality, score, isOriginal, passed, candidates, data }
}

/**
 * That one of several formats cannot hold an image is no news in a build that lets the engine choose; that none can, is.
 */
function worthTelling({ candidates, warnings }: OptimizeResult) {
  const tried = candidates.some(({ outcome, encodes }) => outcome !== 'skipped' && encodes > 0)
  return tried ? warnings.filter(({ code }) => code !== 'format-skipped') : warnings
}

async function runImage(input: Uint8Array, job: ImageJob, signal?: AbortSignal): Promise<Encoded> {
  const { kind: _, engine, ...own } = job
  const result = await optimize(input, { ...engine, ...own, ...(signal && { signal }) })
  return { images: [winner(result)], placeholder: null, input: result.input, warnings: worthTelling(result) }
}

/**
 * Formats of a `<picture>`: the two small ones, then what every browser shows. An animation stays one. Both fallbacks are
 * tried where alpha is possible, because a file that could be transparent seldom is.
 */
function pictureFormats({ hasAlpha, pages }: ImageInfo): Format[] {
  if (pages > 1) return ['webp']
  return hasAlpha ? ['avif', 'webp', 'jpeg', 'png'] : ['avif', 'webp', 'jpeg']
}

/** Every file of a result that may be shown, one per format: the smallest that keeps all constraints. */
function finished(result: OptimizeResult): EncodedImage[] {
  const best = new Map<string, Candidate>()
  for (const candidate of result.candidates) {
    const known = best.get(candidate.format)
    const usable = candidate.data && (candidate.outcome === 'won' || candidate.outcome === 'lost')
    if (usable && (!known || (candidate.bytes ?? 0) < (known.bytes ?? 0))) best.set(candidate.format, candidate)
  }
  if (best.size === 0) return [winner(result)]
  const { width, height, passed } = result
  return [...best.values()].map(candidate => ({
    format: candidate.format as EncodedImage['format'],
    ...{ width, height, passed, quality: candidate.quality, score: candidate.score },
    isOriginal: candidate === result.candidates[result.candidates.length - 1] && candidate.encodes === 0,
    candidates: [withoutData(candidate)],
    data: candidate.data as Buffer,
  }))
}

async function runPicture(input: Uint8Array, job: PictureJob): Promise<Encoded> {
  const info = await inspect(input)
  const { width: own } = shownSize(info)
  const widths = [...new Set(job.widths.map(width => Math.min(width, own)))]
  const formats = job.formats ?? pictureFormats(info)
  const common: OptimizeOptions = { ...job.engine, formats, strategy: 'all' }
  const sizes = widths.length > 0 && canResize(info) ? widths : [own]
  // A list of widths tells browsers pixels, whatever the size at which a page would show them.
  const inPixels = job.widths.length > 0 && info.layout !== undefined
  const variants = sizes.map((width, index) => ({
    ...((width < own || inPixels) && { resize: { width } }),
    // Of the largest, which shows most.
    ...(job.placeholder && index === sizes.length - 1 && { placeholder: job.placeholder }),
  }))
  const results = await optimizeMany(input, variants, common)
  return {
    images: results.flatMap(finished),
    placeholder: results[results.length - 1]?.placeholder ?? null,
    input: info,
    warnings: results.flatMap(worthTelling),
  }
}

/** Runs a job; rejects with the engine's typed errors, or with the reason of the signal. */
export const run = (input: Uint8Array, job: Job, signal?: AbortSignal): Promise<Encoded> =>
  job.kind === 'image' ? runImage(input, job, signal) : runPicture(input, job)
