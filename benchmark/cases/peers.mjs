// The same four formats from one photo by sharp and by @napi-rs/image. Equal nominal quality is not equal look, which is
// why the scores stand beside the sizes: this is a comparison of default settings, not of equal results.
import { createRequire } from 'node:module'
import napi from '@napi-rs/image'
import sharp from 'sharp'
import pixrace from '../../index.js'
import { spread } from '../lib/corpus.mjs'
import { figure, median, milliseconds, timed } from '../lib/stats.mjs'

export const title = 'Default settings beside sharp and @napi-rs/image'

const PHOTOS = 2
const QUALITY = 80
const FORMATS = ['avif', 'webp', 'jpeg', 'png']
const { version: napiVersion } = createRequire(import.meta.url)('@napi-rs/image/package.json')
const isPng = bytes => bytes.subarray(1, 4).toString('latin1') === 'PNG'

// Each takes the bytes of an image and gives the four files, in the order of FORMATS.
const TOOLS = {
  async pixrace(bytes) {
    const { candidates } = await pixrace.optimize(bytes)
    return candidates.slice(0, FORMATS.length).map(({ data }) => data)
  },
  sharp(bytes) {
    const image = sharp(bytes)
    return Promise.all([
      image.clone().avif().toBuffer(),
      image.clone().webp({ quality: QUALITY }).toBuffer(),
      image.clone().jpeg({ quality: QUALITY, mozjpeg: true }).toBuffer(),
      image.clone().png().toBuffer(),
    ])
  },
  '@napi-rs/image'(bytes) {
    const image = new napi.Transformer(bytes)
    const png = isPng(bytes) ? Promise.resolve(bytes) : image.png()
    return Promise.all([
      image.avif(),
      image.webp(QUALITY),
      image.jpeg(QUALITY),
      png.then(file => napi.losslessCompressPng(file)),
    ])
  },
}

// pixrace reads no AVIF yet, so sharp unpacks it.
async function scoreOf(original, file, format) {
  if (format === 'png') return null
  const readable = format === 'avif' ? await sharp(file).png({ compressionLevel: 1 }).toBuffer() : file
  return pixrace.score(original, readable)
}

/** Times of all rounds and the files of the last one. A fresh copy each time: no cache of a tool may know the bytes. */
async function race(bytes, rounds) {
  const found = Object.fromEntries(Object.keys(TOOLS).map(tool => [tool, { times: [], files: [] }]))
  for (let round = 0; round < rounds; round++) {
    for (const [tool, encode] of Object.entries(TOOLS)) {
      const copy = Buffer.from(bytes)
      const time = await timed(async () => {
        found[tool].files = await encode(copy)
      })
      found[tool].times.push(time)
    }
  }
  return found
}

function comparison(peer, photos) {
  const perPhoto = photos.map(({ found }) => found.pixrace.times.map((time, i) => time / found[peer].times[i]))
  const total = tool => photos.reduce((sum, { found }) => sum + bytesOf(found[tool].files), 0)
  const wall = tool => median(photos.map(({ found }) => median(found[tool].times)))
  return [
    figure(`wall time, pixrace against ${peer}`, perPhoto.flat(), {
      note: `${milliseconds(wall('pixrace'))} against ${milliseconds(wall(peer))}`,
    }),
    figure(`bytes of all four, pixrace against ${peer}`, [total('pixrace') / total(peer)], {
      note: `${kilobytes(total('pixrace'))} against ${kilobytes(total(peer))}`,
    }),
  ]
}

const bytesOf = files => files.reduce((sum, file) => sum + file.length, 0)
const kilobytes = bytes => `${(bytes / 1000).toFixed(1)} kB`

// Sizes and scores of every file: what the sums above hide.
async function detail({ name, bytes, found }) {
  const rows = []
  for (const [tool, { times, files }] of Object.entries(found)) {
    const cells = []
    for (const [i, format] of FORMATS.entries()) {
      const score = await scoreOf(bytes, files[i], format)
      cells.push(`${kilobytes(files[i].length)}${score === null ? '' : ` (${score.toFixed(1)})`}`)
    }
    rows.push([name, tool, milliseconds(median(times)), ...cells])
  }
  return rows
}

export async function run({ rounds, quick, corpus, progress }) {
  const photos = []
  for (const { name, bytes } of spread(corpus.photos, quick ? 1 : PHOTOS)) {
    progress(name)
    photos.push({ name, bytes, found: await race(bytes, rounds) })
  }
  progress('scores')
  const rows = []
  for (const photo of photos) rows.push(...(await detail(photo)))
  const peers = Object.keys(TOOLS).filter(tool => tool !== 'pixrace')
  const pool = process.env.UV_THREADPOOL_SIZE ?? 'not set'
  return {
    figures: peers.flatMap(peer => comparison(peer, photos)),
    table: { head: ['photo', 'tool', 'wall time', 'avif (score)', 'webp (score)', 'jpeg (score)', 'png'], rows },
    notes: [
      'Equal nominal quality is not equal look; the score is SSIMULACRA2 against the input.',
      `WebP and JPEG at ${QUALITY}, AVIF at each tool's own default. sharp's PNG is not optimised, its JPEG is mozjpeg's.`,
      `sharp ${sharp.versions.sharp} with its sharp.concurrency() of ${sharp.concurrency()}, @napi-rs/image ${napiVersion}; UV_THREADPOOL_SIZE ${pool}.`,
    ],
  }
}
