// What the parts of the build layer hand to each other.
import type { Candidate, ImageInfo, OptimizeResult, Warning } from '../engine.js'

/** Of a picture as shown, in pixels. */
export interface Size {
  width: number
  height: number
}

/** A candidate as caches and manifests keep it: without its file. */
export type CandidateSummary = Omit<Candidate, 'data'>

/** One file that came out of the engine, with what was learned on the way. */
export interface EncodedImage {
  /** 'avif', 'webp', 'jpeg', 'png' or 'gif'. */
  format: OptimizeResult['format']
  /** Width as shown, in pixels. */
  width: number
  /** Height as shown, in pixels. */
  height: number
  quality: number | null
  score: number | null
  isOriginal: boolean
  /** Whether every constraint of the options holds for it. */
  passed: boolean
  candidates: CandidateSummary[]
  data: Buffer
}

/** The answer to one job: what is cached under one key. */
export interface Encoded {
  /** One for a plain image; one per width and format for a `?picture`. */
  images: EncodedImage[]
  /** A data URL or a colour; null where none was asked for. */
  placeholder: string | null
  /** What the header of the source says. */
  input: ImageInfo
  warnings: Warning[]
}

/** What became of one image of the project: a row of the report, an entry of the manifest. */
export interface ImageRecord {
  /** The source: its path from the project's root with '/' between folders, or the asset's name where it has no file. */
  source: string
  /** Size of the source in bytes. */
  before: number
  outputs: OutputRecord[]
  warnings: Warning[]
  /** Whether the answer came from the cache. */
  cached: boolean
  /** Wall time from the request to its answer, in milliseconds. */
  elapsedMs: number
  /** Why the image was left as it is, where nothing was tried: a code and a sentence. */
  leftAlone?: { code: LeftAloneCode; message: string }
}

/**
 * - `unsupported`: of a format that the engine does not read;
 * - `failed`: the engine refused it (corrupt, beyond a limit): the original is used and `failOn` decides.
 */
export type LeftAloneCode = 'unsupported' | 'failed'

/** A file of the build that holds an image. */
export interface OutputRecord {
  /** Its name below the output folder; null for an image inlined as a data URL. */
  fileName: string | null
  format: string
  width: number
  height: number
  bytes: number
  quality: number | null
  score: number | null
  isOriginal: boolean
  candidates: CandidateSummary[]
}
