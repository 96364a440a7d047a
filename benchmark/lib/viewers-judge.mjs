// Which differences between viewers are faults. A fault is `{ kind, detail, grave }`; a grave one counts whatever the file is.
import { blockDifference, difference } from '../../__test__/support/pixels.mjs'

/**
 * How far two pictures may be apart, in levels of 255 and weighted by alpha: the mean of all samples, the `largest` sample, and
 * the largest mean of a `block` of 8 × 8 pixels. Decoders of JPEG, WebP and AVIF interpolate chroma in their own ways, which shows
 * at edges and not in the means of blocks; Chromium cuts 16 bits to 8 before it converts colours.
 */
const EXACT = { mean: 0.5, block: 4, largest: 16 }
const INTERPOLATED = { mean: 1.5, block: 8, largest: 255 }
const TOLERANCES = { png: EXACT, gif: EXACT, jpeg: INTERPOLATED, webp: INTERPOLATED, avif: INTERPOLATED }
/** What a default call may lose: of files with a score of 70 it is 1 to 7 levels, of ruined ones more, and of noise too. */
const LOSSY = { mean: 9, block: 40, largest: 255, ofRoughness: 1 / 3 }

const sizeOf = ({ width, height }) => `${width}×${height}`

/** Mean difference of a sample from the one beside it, in levels. */
function roughness({ data }) {
  let sum = 0
  for (let at = 0; at < data.length - 4; at++) sum += Math.abs(data[at] - data[at + 4])
  return sum / data.length
}

/** What is different between two shown pictures, as a text; undefined if they look alike. */
function unlike(a, b, { mean, largest, block, ofRoughness = 0 }) {
  if (sizeOf(a) !== sizeOf(b)) return `${sizeOf(b)} instead of ${sizeOf(a)}`
  const samples = difference(a.picture, b.picture)
  const found = {
    mean: Math.max(samples.color, samples.alpha),
    block: blockDifference(a.picture, b.picture).largest,
    largest: samples.largest,
  }
  const most = Math.max(mean, ofRoughness * roughness(a.picture))
  if (found.mean <= most && found.block <= block && found.largest <= largest) return undefined
  const texts = Object.entries(found).map(([what, value]) => `${what} ${value.toFixed(1)}`)
  return `off by ${texts.join(', ')}`
}

function graveFaults({ errors, end, output }) {
  const internal = errors.filter(({ code }) => code === 'undefined' || code === 'ERR_PIXRACE_INTERNAL')
  return [
    ...(end ? [{ kind: 'crash', detail: end }] : []),
    ...(output ? [{ kind: 'output', detail: output.split('\n')[0] }] : []),
    ...internal.map(({ call, message }) => ({ kind: 'internal', detail: `${call}: ${message}` })),
  ].map(fault => ({ ...fault, grave: true }))
}

function refusals({ errors, pixels, result }) {
  const typed = errors.filter(({ code }) => code !== 'undefined' && code !== 'ERR_PIXRACE_INTERNAL')
  const kind = pixels || result ? 'refused in part' : 'refused'
  const texts = new Map(typed.map(({ code, message, call }) => [`${code} ${message}`, call]))
  return [...texts].map(([text, call]) => ({ kind, detail: pixels || result ? `${call}: ${text}` : text }))
}

/** The size of a picture as shown, by what `inspect` says. */
const shownSize = ({ width, height, orientation }) =>
  orientation > 4 ? { width: height, height: width } : { width, height }

/** A fault if Chromium shows pixrace's file in another way than the original. */
function compare(kind, original, shown, tolerance, sharp) {
  if (!shown) return []
  if (shown.error) return [{ kind, detail: `pixrace's file ${shown.error}` }]
  const text = unlike(original, shown, tolerance)
  if (!text) return []
  const asSharp = sharp && !unlike(sharp, shown, tolerance) ? '; as sharp shows it' : ''
  return [{ kind, detail: text + asSharp }]
}

const isEmpty = ({ picture }) => !picture?.data.some((sample, at) => at % 4 === 3 && sample > 0)

/** Who shows a file: 'both', 'chromium', 'sharp' or 'none'. Chromium gives broken files an empty picture. */
function viewersOf(chromium, sharp) {
  const inChromium = !chromium.error && !(isEmpty(chromium) && !isEmpty(sharp))
  if (sharp.error) return inChromium ? 'chromium' : 'none'
  return inChromium ? 'both' : 'sharp'
}

/** What is wrong with pixrace's view of a file, and who shows it: `{ shownBy, faults }`. */
export function faultsOf({ chromium, sharp, own, shown, byDefault, format }) {
  const faults = [...graveFaults(own), ...refusals(own)]
  const shownBy = viewersOf(chromium, sharp)
  if (shownBy === 'none' || shownBy === 'sharp') return { shownBy, faults }
  const told = own.info && sizeOf(shownSize(own.info))
  if (told && told !== sizeOf(chromium)) {
    faults.push({ kind: 'inspect', detail: `${told} instead of ${sizeOf(chromium)}` })
  }
  const other = sharp.error ? undefined : sharp
  faults.push(...compare('pixels', chromium, shown, TOLERANCES[format], other))
  faults.push(...compare('default', chromium, byDefault, LOSSY, other))
  return { shownBy, faults }
}
