// Which formats a client takes, by its `Accept` header (RFC 9110, section 12.5.1).
import type { Format } from '../engine.js'

interface Range {
  type: string
  quality: number
}

/** Longer headers are cut: no browser sends as many ranges, and every one costs time. */
const MAX_LENGTH = 4096

function parse(accept: string): Range[] {
  return accept
    .slice(0, MAX_LENGTH)
    .split(',')
    .flatMap(part => {
      const [type = '', ...parameters] = part.split(';').map(piece => piece.trim().toLowerCase())
      if (!/^[\w*.+-]+\/[\w*.+-]+$/.test(type)) return []
      const weight = parameters.find(parameter => parameter.startsWith('q='))
      const quality = weight === undefined ? 1 : Number(weight.slice(2))
      return [{ type, quality: quality >= 0 && quality <= 1 ? quality : 0 }]
    })
}

// Browsers that say `image/*` and show no AVIF are many: these have to be named.
const NAMED_ONLY: readonly string[] = ['avif', 'webp']

/** Whether only clients that name the format show it. */
export const isNamedOnly = (format: string): boolean => NAMED_ONLY.includes(format)

function qualityOf(format: string, ranges: Range[]): number {
  const names = NAMED_ONLY.includes(format) ? [`image/${format}`] : [`image/${format}`, 'image/*', '*/*']
  for (const name of names) {
    const range = ranges.find(({ type }) => type === name)
    if (range) return range.quality
  }
  return 0
}

/**
 * Groups of formats by falling preference; a format with quality 0 is in none. Without a header, and where it leaves nothing
 * over, everything that every browser shows is taken: a picture is better than an error.
 */
export function acceptedFormats(accept: string | null, formats: readonly Format[]): Format[][] {
  const ranges = parse(accept ?? '*/*')
  const groups = new Map<number, Format[]>()
  for (const format of formats) {
    const quality = qualityOf(format, ranges)
    if (quality > 0) groups.set(quality, [...(groups.get(quality) ?? []), format])
  }
  const sorted = [...groups.entries()].sort(([a], [b]) => b - a).map(([, group]) => group)
  return sorted.length > 0 ? sorted : [formats.filter(format => !NAMED_ONLY.includes(format))]
}
