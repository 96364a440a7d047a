// The tools that pixrace is compared with, and how each makes a file: a `setting` is one encoder of one tool, with a
// quality on that encoder's own scale or without any loss.
import { createRequire } from 'node:module'
import napi from '@napi-rs/image'
import sharp from 'sharp'

const { version: napiVersion } = createRequire(import.meta.url)('@napi-rs/image/package.json')
const isPng = bytes => bytes.subarray(1, 4).toString('latin1') === 'PNG'

/** The formats that every tool makes, in the order of the tables. */
export const FORMATS = ['avif', 'webp', 'jpeg', 'png']

// `id` is part of the cache's key: it has to name everything that the bytes depend on beside tool, version and quality.
const lossy = (id, format, encode) => ({ id, format, encode })
const lossless = (id, format, encode) => ({ id, format, encode, lossless: true })

const SHARP = {
  name: 'sharp',
  version: sharp.versions.sharp,
  open: bytes => sharp(bytes),
  avif: [4, 2, 0].map(effort => ({
    label: `effort ${effort}`,
    setting: lossy(`avif effort ${effort}`, 'avif', (image, quality) =>
      image.clone().avif({ quality, effort }).toBuffer(),
    ),
  })),
  rest: [
    lossy('webp', 'webp', (image, quality) => image.clone().webp({ quality }).toBuffer()),
    lossless('webp lossless', 'webp', image => image.clone().webp({ lossless: true }).toBuffer()),
    lossy('mozjpeg', 'jpeg', (image, quality) => image.clone().jpeg({ quality, mozjpeg: true }).toBuffer()),
    lossy('png palette', 'png', (image, quality) => image.clone().png({ quality, palette: true }).toBuffer()),
    lossless('png level 9', 'png', image => image.clone().png({ compressionLevel: 9 }).toBuffer()),
    lossless('png level 9 adaptive', 'png', image =>
      image.clone().png({ compressionLevel: 9, adaptiveFiltering: true }).toBuffer(),
    ),
  ],
}

// Its mozjpeg reads only JPEG files and its PNG tools only PNG files, so both start from one that loses nothing, or as
// little as a JPEG can.
const NAPI = {
  name: '@napi-rs/image',
  version: napiVersion,
  async open(bytes) {
    const image = new napi.Transformer(bytes)
    // Decodes once. Without it, encoders that start together all decode and free the pixels that the others are reading:
    // no lock guards them in 1.15.0, and the process crashes.
    await image.metadata()
    return { image, png: async () => (isPng(bytes) ? bytes : image.png()) }
  },
  avif: [
    { label: 'default speed', setting: lossy('avif', 'avif', ({ image }, quality) => image.avif({ quality })) },
    {
      label: 'speed 8',
      setting: lossy('avif speed 8', 'avif', ({ image }, quality) => image.avif({ quality, speed: 8 })),
    },
  ],
  rest: [
    lossy('webp', 'webp', ({ image }, quality) => image.webp(quality)),
    lossless('webp lossless', 'webp', ({ image }) => image.webpLossless()),
    lossy('mozjpeg of jpeg 100', 'jpeg', async ({ image }, quality) =>
      napi.compressJpeg(await image.jpeg(100), { quality }),
    ),
    lossy('png quantize', 'png', async ({ png }, quality) =>
      napi.pngQuantize(await png(), { minQuality: 0, maxQuality: quality }),
    ),
    lossless('png lossless', 'png', async ({ png }) => napi.losslessCompressPng(await png())),
  ],
}

export const PEERS = [SHARP, NAPI]

/** Every setting of a tool, the AVIF ones first. */
export const settingsOf = ({ avif, rest }) => [...avif.map(({ setting }) => setting), ...rest]
