// Looks at animations independently of pixrace: sharp (libvips, with libnsgif and libwebp) decodes all frames.
import sharp from 'sharp'

/** `{ width, height, pages, delay, loop, frames }`; each frame is `{ width, height, data }`, RGBA. A still has one. */
export async function decodeFrames(file) {
  const {
    width,
    height,
    pageHeight = height,
    pages = 1,
    delay = [0],
    loop,
  } = await sharp(file, { pages: -1 }).metadata()
  const { data } = await sharp(file, { pages: -1, ignoreIcc: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const size = width * pageHeight * 4
  const frames = Array.from({ length: pages }, (_, i) => {
    return { width, height: pageHeight, data: data.subarray(i * size, (i + 1) * size) }
  })
  return { width, height: pageHeight, pages, delay, loop, frames }
}

/** The frames of `candidate` that are shown when each frame of `original` is: encoders may merge frames. */
export function framesAtTimesOf(original, candidate) {
  if (original.pages === candidate.pages) return candidate.frames
  const ends = []
  for (const delay of candidate.delay) ends.push((ends.at(-1) ?? 0) + delay)
  let time = 0
  return original.delay.map(delay => {
    const at = ends.findIndex(end => end > time)
    time += delay
    return candidate.frames.at(at)
  })
}

/** Largest difference of two RGBA frames; the colour of what is fully transparent in both does not count. */
export function largestDifference(a, b) {
  if (a.width !== b.width || a.height !== b.height) return Infinity
  let largest = 0
  for (let i = 0; i < a.data.length; i += 4) {
    if (a.data[i + 3] === 0 && b.data[i + 3] === 0) continue
    for (let j = i; j < i + 4; j++) largest = Math.max(largest, Math.abs(a.data[j] - b.data[j]))
  }
  return largest
}

export const pngOf = ({ width, height, data }) =>
  sharp(data, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 1 })
    .toBuffer()
