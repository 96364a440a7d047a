// Files of some hundred bytes whose headers claim gigabytes, or claim one thing in one place and another elsewhere: each ends in
// a typed error or the right picture, within a bound of memory, whatever is asked. In processes of their own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { chunk } from '../fixtures/lib/png.mjs'
import { askChild } from './support/child.mjs'
import { gifFrame, gifOf } from './support/gif.mjs'
import { anim, anmf, ICC, MOVES, solidWebp, vp8x, webpChunk, webpOf } from './support/riff.mjs'

/** A picture of four pixels rises the peak by up to 12 MiB here. The smallest claim below would take 64 MiB as one byte a pixel. */
const MOST_GROWTH_MIB = 32

const CORRUPT = 'ERR_PIXRACE_CORRUPT_INPUT'
const LIMIT = 'ERR_PIXRACE_LIMIT_EXCEEDED'
const MANY = `${LIMIT} maxPixels`

const BLACK = [[0, 0, 0]]
const dot = gifFrame({ width: 1, height: 1, pixels: [0] })

/** A frame of this size that has one pixel. */
function claim(width, height) {
  const frame = Buffer.from(dot)
  frame.writeUInt16LE(width, 13)
  frame.writeUInt16LE(height, 15)
  return frame
}

const gif = (frames, width = 4, height = 4) => gifOf({ width, height, palette: BLACK, frames })

/** The first bytes of a VP8L of this size. */
function vp8l(width, height) {
  const body = Buffer.alloc(20)
  body[0] = 0x2f
  body.writeUInt32LE((width - 1) | ((height - 1) << 14), 1)
  return webpChunk('VP8L', body)
}

const HUGE = 16_383
const { VP8L: small } = await solidWebp(4, 4, [255, 0, 0])
const WHOLE = { width: 4, height: 4 }

function png(width, height) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10])
  const pixels = chunk('IDAT', deflateSync(Buffer.alloc(100)))
  return Buffer.concat([signature, chunk('IHDR', header), pixels, chunk('IEND', Buffer.alloc(0))])
}

const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: '#808080' } })

async function jpeg(width, height) {
  const file = await picture.clone().jpeg().toBuffer()
  const frame = file.indexOf(Buffer.from([0xff, 0xc0]))
  file.writeUInt16BE(height, frame + 5)
  file.writeUInt16BE(width, frame + 7)
  return file
}

/** An AVIF whose container gives its picture of 64 × 64 another size. */
async function avif(width, height) {
  const file = await picture.clone().avif({ effort: 0 }).toBuffer()
  const size = file.indexOf('ispe')
  file.writeUInt32BE(width, size + 8)
  file.writeUInt32BE(height, size + 12)
  return file
}

/** An APNG whose only frame is larger than the picture. */
async function apng() {
  const file = await sharp({ create: { ...WHOLE, channels: 4, background: '#ff0000' } })
    .png()
    .toBuffer()
  const control = Buffer.alloc(26)
  control.writeUInt32BE(60_000, 4)
  control.writeUInt32BE(60_000, 8)
  const at = file.indexOf('IDAT') - 4
  const frames = [chunk('acTL', Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])), chunk('fcTL', control)]
  return Buffer.concat([file.subarray(0, at), ...frames, file.subarray(at)])
}

/** Name, file, and what becomes of optimize, inspect and score; a limit is one that optimize is given. */
const FILES = [
  ['a GIF whose frame is larger than its screen', gif([claim(65_535, 65_535)]), MANY, MANY, MANY],
  ['the same within the default limit', gif([claim(9000, 9000)]), CORRUPT, '9000 × 9000', CORRUPT],
  ['the same beyond the limit of the call', gif([claim(9000, 9000)]), MANY, '9000 × 9000', CORRUPT, 1_000_000],
  ['a GIF whose second frame is larger', gif([dot, claim(65_535, 65_535)]), MANY, MANY, MANY],
  ['the same beyond the limit of the call', gif([dot, claim(9000, 9000)]), MANY, '4 × 4', 'scored', 1_000_000],
  ['a GIF whose screen is larger', gif([dot], 65_535, 65_535), MANY, MANY, MANY],
  [
    'a WebP whose picture is larger than its canvas',
    webpOf([vp8x(0, 4, 4), vp8l(HUGE, HUGE)]),
    CORRUPT,
    CORRUPT,
    CORRUPT,
  ],
  ['a WebP whose canvas is larger', webpOf([vp8x(0, 9000, 9000), small]), CORRUPT, CORRUPT, CORRUPT],
  [
    'a WebP whose frame is larger than its canvas',
    webpOf([vp8x(MOVES, 4, 4), anim(0), anmf(WHOLE, vp8l(HUGE, HUGE))]),
    ...[CORRUPT, CORRUPT, CORRUPT],
  ],
  [
    'a WebP whose frame claims to be larger than it is',
    webpOf([vp8x(MOVES, 4, 4), anim(0), anmf({ width: HUGE, height: HUGE }, small)]),
    ...['4 × 4', '4 × 4', 'scored'],
  ],
  ['a WebP of one huge picture', webpOf([vp8l(HUGE, HUGE)]), MANY, MANY, MANY],
  [
    'a WebP whose profile claims 4 GB',
    webpOf([vp8x(ICC, 4, 4), webpChunk('ICCP', 'abcd', 0xffff_fff0), small]),
    ...[CORRUPT, '4 × 4', CORRUPT],
  ],
  ['a PNG that claims 4 gigapixels', png(65_535, 65_535), MANY, MANY, MANY],
  ['an APNG whose frame is larger', await apng(), CORRUPT, CORRUPT, CORRUPT],
  ['a JPEG that claims 4 gigapixels', await jpeg(65_500, 65_500), MANY, MANY, MANY],
  ['a JPEG that claims more than it has', await jpeg(9000, 9000), CORRUPT, '9000 × 9000', CORRUPT],
  ['an AVIF whose container claims 4 gigapixels', await avif(60_000, 60_000), MANY, MANY, MANY],
  ['an AVIF whose container claims more than its stream', await avif(9000, 9000), CORRUPT, '9000 × 9000', CORRUPT],
  ['an AVIF whose container claims less than its stream', await avif(8, 8), CORRUPT, '8 × 8', CORRUPT],
]

const folder = mkdtempSync(join(tmpdir(), 'pixrace-claims-'))
after(() => rmSync(folder, { recursive: true }))

describe('what a file claims costs no memory', () => {
  for (const [index, [name, file, optimize, inspect, score, maxPixels]] of FILES.entries()) {
    test(name, async () => {
      const path = join(folder, `${index}`)
      writeFileSync(path, file)
      const args = maxPixels ? [path, maxPixels] : [path]
      const found = await askChild('child-claims.mjs', { args, env: { PIXRACE_THREADS: '2' } })
      const { grown, ...outcomes } = found
      assert.ok(grown < MOST_GROWTH_MIB, `${grown} MiB`)
      assert.deepEqual(outcomes, { optimize, inspect, score })
    })
  }
})
