// Small AVIF files of every kind, most of them made by pixrace: what mutants are made of.
import sharp from 'sharp'
import pixrace from '../../index.js'
import { gridOf } from './avif.mjs'

/** Soft shapes in colour, or in grey; with alpha, a slope of it. */
export function picture(width, height, channels = 3) {
  const data = Buffer.alloc(width * height * channels)
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)]
    for (let c = 0; c < channels; c++) {
      data[i * channels + c] =
        c === 3 ? 40 + (x * 200) / width : 128 + 100 * Math.sin(x / (5 + c)) * Math.cos(y / (9 - c))
    }
  }
  return sharp(data, { raw: { width, height, channels } })
}

/** The file that pixrace makes of a sharp image. */
export async function ownAvif(image, options = {}) {
  const settings = { formats: ['avif'], quality: 60, effort: 'fast', keepOriginal: false, ...options }
  return (await pixrace.optimize(await image.png().toBuffer(), settings)).data
}

/** By kind. */
export async function seeds() {
  const exif = { IFD0: { Artist: 'Ada' } }
  const tiles = await Promise.all([1, 2, 3, 4].map(n => ownAvif(picture(64, 64, 4).modulate({ brightness: n / 4 }))))
  const size = { columns: 2, width: 100, height: 90 }
  return {
    colour: await ownAvif(picture(48, 40)),
    alpha: await ownAvif(picture(48, 40, 4)),
    grey: await ownAvif(picture(37, 21).greyscale()),
    exif: await ownAvif(picture(33, 48).withExif(exif), { metadata: 'keep' }),
    p3: await ownAvif(picture(48, 40).withIccProfile('p3'), { colorProfile: 'keep' }),
    grid: gridOf(tiles, size),
    'grid of tiles with alpha': gridOf(tiles, { ...size, alpha: 'tiles' }),
    'libheif, 4:2:0': await picture(50, 34).avif({ effort: 0 }).toBuffer(),
    'libheif, alpha': await picture(50, 34, 4).avif({ effort: 0, chromaSubsampling: '4:4:4' }).toBuffer(),
  }
}
