// Looks at pictures independently of pixrace: sharp (libvips) decodes, and plain loops compare. Colour profiles are left
// aside, except those of CMYK, and EXIF orientation is applied.
import sharp from 'sharp'

const withoutProfile = file => sharp(file, { ignoreIcc: true, failOn: 'none' })

/** The picture as shown: `{ width, height, data }`, RGBA, 8 bits per sample (of 16 bits the high byte). */
export async function decode(file) {
  const { space, icc } = await sharp(file).metadata()
  const managed = space === 'cmyk' && icc
  const picture = (managed ? sharp(file) : withoutProfile(file)).autoOrient()
  if (space === 'cmyk' && !icc) return rgbaFromInks(await picture.pipelineColourspace('cmyk').toColourspace('cmyk'))
  const raw = picture.toColourspace('srgb').ensureAlpha().raw()
  const { data, info } = await raw.toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

// Without a profile an ink takes its share of the light away, as browsers show such files.
async function rgbaFromInks(picture) {
  const { data: inks, info } = await picture.raw().toBuffer({ resolveWithObject: true })
  const data = Buffer.alloc(inks.length, 255)
  for (let i = 0; i < inks.length; i += 4) {
    const light = 255 - inks[i + 3]
    for (let j = i; j < i + 3; j++) data[j] = Math.round(((255 - inks[j]) * light) / 255)
  }
  return { width: info.width, height: info.height, data }
}

/** The same with 16 bits per sample, as a Uint16Array. */
export async function decode16(file) {
  const raw = withoutProfile(file).toColourspace('rgb16').ensureAlpha().raw({ depth: 'ushort' })
  const { data, info } = await raw.toBuffer({ resolveWithObject: true })
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
  return { width: info.width, height: info.height, data: samples }
}

/**
 * How far two RGBA pictures of 8 bits are apart, in steps of 255: `color` and `alpha` are mean errors of a sample,
 * `largest` is the largest of all. Colour is weighted by alpha: what is invisible does not count. Infinite for another
 * size.
 */
export function difference(a, b) {
  if (a.width !== b.width || a.height !== b.height) return { color: Infinity, alpha: Infinity, largest: Infinity }
  let [color, alpha, largest] = [0, 0, 0]
  for (let i = 0; i < a.data.length; i += 4) {
    const [alphaA, alphaB] = [a.data[i + 3], b.data[i + 3]]
    for (let j = i; j < i + 3; j++) {
      const error = Math.abs(a.data[j] * alphaA - b.data[j] * alphaB) / 255
      color += error
      if (error > largest) largest = error
    }
    const error = Math.abs(alphaA - alphaB)
    alpha += error
    if (error > largest) largest = error
  }
  const pixels = a.width * a.height
  return { color: color / (3 * pixels), alpha: alpha / pixels, largest }
}

/** The same between the means of blocks of 8 × 8 pixels, in which ringing and subsampled chroma cancel out. */
export function blockDifference(a, b) {
  return difference(blocks(a), blocks(b))
}

function blocks({ width, height, data }) {
  const [columns, rows] = [Math.ceil(width / 8), Math.ceil(height / 8)]
  const sums = new Float64Array(columns * rows * 4)
  const counts = new Float64Array(columns * rows)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      const block = (y >> 3) * columns + (x >> 3)
      counts[block]++
      for (let channel = 0; channel < 3; channel++) sums[block * 4 + channel] += data[i + channel] * data[i + 3]
      sums[block * 4 + 3] += data[i + 3]
    }
  }
  // Sums of premultiplied colour become colours again: `difference` weighs them by alpha.
  for (let block = 0; block < counts.length; block++) {
    const alpha = sums[block * 4 + 3]
    for (let channel = 0; channel < 3; channel++) sums[block * 4 + channel] /= Math.max(alpha, 1)
    sums[block * 4 + 3] = alpha / counts[block]
  }
  return { width: columns, height: rows, data: sums }
}
