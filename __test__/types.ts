// The types of the package, checked by `tsc` and never run: what is allowed compiles, and below every `@ts-expect-error`
// stands something that must not. `Equal` proves that a union is exactly the one of the documentation, no wider (a plain
// `string` would accept everything) and no narrower.
import {
  type Candidate,
  type Effort,
  type Fit,
  type Format,
  type ImageInfo,
  inspect,
  type LayoutSize,
  type Limits,
  type MetadataPolicy,
  type OptimizeOptions,
  type OptimizeResult,
  type Outcome,
  optimize,
  optimizeMany,
  optimizeSync,
  type Placeholder,
  type Qualities,
  type Resize,
  type Strategy,
  score,
  type Timings,
  type Versions,
  versions,
  type Warning,
} from '../index.js'

/** True only if two types are the same: each is assignable to the other even where `any` or optional keys would hide it. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

declare const input: Uint8Array

export type Unions = [
  Expect<Equal<Format, 'avif' | 'webp' | 'jpeg' | 'png'>>,
  Expect<Equal<Effort, 'fast' | 'balanced' | 'best'>>,
  Expect<Equal<Fit, 'inside' | 'cover' | 'contain' | 'fill'>>,
  Expect<Equal<Strategy, 'race' | 'all'>>,
  Expect<Equal<MetadataPolicy, 'strip' | 'keep'>>,
  Expect<Equal<Placeholder, 'thumbhash' | 'blur' | 'color'>>,
  Expect<Equal<Outcome, 'won' | 'lost' | 'over-budget' | 'below-score' | 'failed' | 'skipped' | 'abandoned'>>,
  Expect<Equal<Candidate['outcome'], Outcome>>,
  Expect<Equal<Candidate['format'], Format | 'gif'>>,
  Expect<Equal<OptimizeResult['format'], Format | 'gif'>>,
  Expect<Equal<ImageInfo['format'], 'jpeg' | 'png' | 'webp' | 'gif' | 'avif'>>,
  Expect<Equal<ImageInfo['colorSpace'], 'gray' | 'rgb' | 'cmyk'>>,
  Expect<Equal<ImageInfo['layout'], LayoutSize | undefined>>,
  Expect<Equal<Warning['format'], Format | undefined>>,
  Expect<
    Equal<
      Warning['code'],
      | 'color-profile-ignored'
      | 'color-profile-dropped'
      | 'format-skipped'
      | 'encode-failed'
      | 'metadata-dropped'
      | 'metadata-kept'
      | 'missing-end'
      | 'infeasible'
    >
  >,
]

export type Shapes = [
  Expect<Equal<ReturnType<typeof optimize>, Promise<OptimizeResult>>>,
  Expect<Equal<ReturnType<typeof optimizeSync>, OptimizeResult>>,
  Expect<Equal<ReturnType<typeof optimizeMany>, Promise<OptimizeResult[]>>>,
  Expect<Equal<ReturnType<typeof inspect>, Promise<ImageInfo>>>,
  Expect<Equal<ReturnType<typeof score>, Promise<number>>>,
  Expect<Equal<ReturnType<typeof versions>, Versions>>,
  Expect<Equal<Parameters<typeof optimize>, Parameters<typeof optimizeSync>>>,
  Expect<Equal<Versions, { pixrace: string; codecs: Record<string, string>; simd: string[] }>>,
  Expect<Equal<OptimizeResult['data'], Buffer>>,
  Expect<Equal<Candidate['data'], Buffer | undefined>>,
  Expect<Equal<Candidate['bytes'], number | null>>,
  Expect<Equal<OptimizeResult['quality'], number | null>>,
  Expect<Equal<Candidate['quality'], number | null>>,
  Expect<Equal<OptimizeResult['score'], number | null>>,
  Expect<Equal<OptimizeResult['placeholder'], string | null>>,
  Expect<Equal<OptimizeResult['candidates'], Candidate[]>>,
  Expect<Equal<OptimizeResult['warnings'], Warning[]>>,
  Expect<Equal<OptimizeResult['input'], ImageInfo>>,
  Expect<Equal<OptimizeResult['timings'], Timings>>,
  Expect<Equal<keyof Timings, 'decodeMs' | 'resizeMs' | 'encodeMs' | 'scoreMs' | 'totalMs' | 'queuedMs'>>,
  Expect<Equal<keyof Limits, 'maxPixels' | 'maxInputBytes' | 'maxFrames' | 'timeoutMs'>>,
  Expect<Equal<keyof Qualities, 'avif' | 'webp' | 'jpeg'>>,
  Expect<Equal<Resize, { width?: number; height?: number; fit?: Fit; enlarge?: boolean }>>,
  Expect<Equal<OptimizeOptions['signal'], AbortSignal | undefined>>,
  Expect<Equal<keyof OptimizeOptions, OptionName>>,
]

type OptionName =
  | 'formats'
  | 'quality'
  | 'minScore'
  | 'maxBytes'
  | 'lossless'
  | 'verify'
  | 'effort'
  | 'strategy'
  | 'concurrency'
  | 'parallel'
  | 'keepOriginal'
  | 'resize'
  | 'flatten'
  | 'metadata'
  | 'colorProfile'
  | 'placeholder'
  | 'limits'
  | 'signal'

export async function allowed() {
  await optimize(input)
  await optimize(Buffer.from('a'), undefined)
  const result = await optimize(input, {
    formats: ['avif', 'webp', 'jpeg', 'png'],
    quality: { avif: 60, jpeg: 82 },
    maxBytes: 100_000,
    effort: 'best',
    strategy: 'race',
    concurrency: 2,
    parallel: true,
    keepOriginal: false,
    resize: { width: 640, height: 480, fit: 'cover', enlarge: true },
    flatten: '#ffffff',
    metadata: 'keep',
    placeholder: 'thumbhash',
    limits: { maxPixels: 1e6, maxInputBytes: 1e6, maxFrames: 100, timeoutMs: 1000 },
    signal: AbortSignal.timeout(1000),
  })
  optimizeSync(input, { minScore: 82.5, maxBytes: 1, strategy: 'all', signal: new AbortController().signal })
  optimizeSync(input, { lossless: true })
  const sizes: number[] = result.candidates.flatMap(({ bytes }) => bytes ?? [])
  const percent: number = await score(input, result.data)
  const { orientation, pages, hasAlpha }: ImageInfo = await inspect(result.data)
  return [sizes, percent, orientation, pages, hasAlpha, versions().codecs.avif]
}

/** Every outcome has to be thought of: the `never` fails to compile when one is added. */
export function explain(outcome: Outcome): string {
  switch (outcome) {
    case 'won':
    case 'lost':
    case 'over-budget':
    case 'below-score':
    case 'failed':
    case 'skipped':
    case 'abandoned':
      return outcome
    default: {
      const never: never = outcome
      return never
    }
  }
}

export async function refused() {
  // @ts-expect-error GIF is read, not written.
  await optimize(input, { formats: ['gif'] })
  // @ts-expect-error A format is no plain string.
  await optimize(input, { formats: ['webp' as string] })
  // @ts-expect-error Several formats are a list.
  await optimize(input, { formats: 'webp' })
  // @ts-expect-error There is no such effort.
  await optimize(input, { effort: 'slow' })
  // @ts-expect-error There is no such strategy.
  await optimize(input, { strategy: 'first' })
  // @ts-expect-error A score is a number.
  await optimize(input, { minScore: '70' })
  // @ts-expect-error There is no such fit.
  await optimize(input, { resize: { width: 100, fit: 'outside' } })
  // @ts-expect-error A side is a number.
  await optimize(input, { resize: { width: '100' } })
  // @ts-expect-error Metadata is stripped or kept.
  await optimize(input, { metadata: 'copy' })
  // @ts-expect-error There is no such placeholder.
  await optimize(input, { placeholder: 'blurhash' })
  // @ts-expect-error PNG has no quality.
  await optimize(input, { quality: { png: 80 } })
  // @ts-expect-error A quality is a number.
  await optimize(input, { quality: '80' })
  // @ts-expect-error An unknown option.
  await optimize(input, { qualty: 80 })
  // @ts-expect-error An unknown limit.
  await optimize(input, { limits: { pixels: 80 } })
  // @ts-expect-error The signal, not its controller.
  await optimize(input, { signal: new AbortController() })
  // @ts-expect-error A signal listens; a flag does not.
  await optimize(input, { signal: { aborted: false } })
  // @ts-expect-error Bytes, not the path of a file.
  await optimize('photo.jpg')
  // @ts-expect-error Bytes, not an ArrayBuffer.
  optimizeSync(new ArrayBuffer(8))
  // @ts-expect-error The options come second.
  await optimize({ effort: 'fast' })
  await optimizeMany(input, [{ resize: { width: 480 } }, {}], { minScore: 80, concurrency: 1 })
  // @ts-expect-error Variants are a list.
  await optimizeMany(input, { resize: { width: 480 } })
  // @ts-expect-error Limits belong to the whole call.
  await optimizeMany(input, [{ limits: { maxPixels: 80 } }])
  // @ts-expect-error Two pictures.
  await score(input)
  const { format, candidates, data } = optimizeSync(input)
  // @ts-expect-error A candidate without a file has no bytes.
  const length: number = candidates[0]?.bytes
  // @ts-expect-error The original may be a GIF.
  const encoded: Format = format
  // @ts-expect-error TIFF is not read, so no result has it.
  const never = format === 'tiff'
  // @ts-expect-error The answer is bytes.
  const text: string = data
  return [length, encoded, never, text]
}
