// Pictures of pure colours as rows of letters, so that a test can say what is seen: 'RRG RR.' are two rows of three pixels.
import pixrace from '../../index.js'
import { decodeFrames } from './frames.mjs'

const LETTERS = [
  ['.', 0, 0, 0, 0],
  ['K', 0, 0, 0, 255],
  ['R', 255, 0, 0, 255],
  ['G', 0, 255, 0, 255],
  ['B', 0, 0, 255, 255],
  ['W', 255, 255, 255, 255],
  ['b', 0, 0, 255, 128],
  ['P', 185, 71, 65, 255],
  ['Q', 200, 60, 59, 255],
]

/** Steps of a sample: lossy colours are not quite pure, and half-transparent ones are rounded differently. */
const ROUNDING = 3

function letter(pixel) {
  const near = ([, ...color]) => color.every((sample, i) => Math.abs(sample - pixel[i]) <= ROUNDING)
  // The colour of what is fully transparent does not count.
  return (pixel[3] === 0 ? '.' : LETTERS.find(near)?.[0]) ?? `(${[...pixel]})`
}

/** An RGBA picture in letters. */
export function lettersOf({ width, height, data }) {
  const at = (x, y) => letter(data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4))
  const row = y => Array.from({ length: width }, (_, x) => at(x, y)).join('')
  return Array.from({ length: height }, (_, y) => row(y)).join(' ')
}

/** The frames that pixrace shows of a file, in letters: what it makes of it losslessly. Or the code of its error. */
export async function shownByPixrace(input) {
  try {
    const { pages } = await pixrace.inspect(input)
    const formats = [pages > 1 ? 'webp' : 'png']
    const { data } = await pixrace.optimize(input, {
      formats,
      lossless: true,
      keepOriginal: false,
      colorProfile: 'srgb',
    })
    return (await decodeFrames(data)).frames.map(lettersOf)
  } catch (error) {
    return error.code
  }
}
