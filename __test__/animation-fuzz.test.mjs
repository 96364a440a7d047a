// Animations with bytes that were changed, moved, repeated or left out, always the same ones: each ends with a typed error
// or an answer, never with a crash, a defect of ours or a format that failed. PIXRACE_FUZZ_ROUNDS asks for more of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { mulberry32 } from '../fixtures/lib/random.mjs'
import pixrace from '../index.js'
import { mapBounded } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'
import { gifOf } from './support/gif.mjs'

const ROUNDS = Number(process.env.PIXRACE_FUZZ_ROUNDS ?? 150)
const EXPECTED = ['CORRUPT_INPUT', 'UNSUPPORTED_INPUT', 'LIMIT_EXCEEDED'].map(name => `ERR_PIXRACE_${name}`)
const LIMITS = { maxPixels: 1_000_000, maxFrames: 100, timeoutMs: 60_000 }
const OPTIONS = [{ quality: 40 }, { lossless: true }, { formats: ['webp'], maxBytes: 900, effort: 'fast' }]

/** Frames of every disposal, on a small screen. */
function plainGif() {
  const frames = [0, 1, 2, 3, 0, 2].map((dispose, i) => {
    const pixels = Array.from({ length: 8 * 6 }, (_, at) => (at * (i + 1)) % 4)
    return { left: i, top: i % 3, width: 8, height: 6, delay: 3 * i, dispose, transparent: 3, pixels }
  })
  const palette = [0, 80, 160, 240].map(shade => [shade, 255 - shade, 99])
  return gifOf({ width: 12, height: 9, palette, repeat: 2, frames })
}

const small = sharp(plainGif(), { animated: true })

const KINDS = {
  'a plain GIF': plainGif,
  'a GIF': () => fixture('animated.gif'),
  'a lossy WebP': () => small.clone().webp({ quality: 60, loop: 2 }).toBuffer(),
  'a lossless WebP': () => small.clone().webp({ lossless: true }).toBuffer(),
  'a WebP with soft edges': () => fixture('animated.webp'),
}

function mutate(file, random) {
  const at = () => Math.floor(random() * file.length)
  const out = Buffer.from(file)
  // Headers decide more than pixels do.
  const near = random() < 0.5 ? Math.floor(random() * Math.min(200, out.length)) : at()
  switch (Math.floor(random() * 5)) {
    case 0:
      out[near] ^= 1 << Math.floor(random() * 8)
      return out
    case 1:
      for (let i = 0; i < 6; i++) out[at()] = Math.floor(random() * 256)
      return out
    case 2:
      return out.fill([0x00, 0xff, 0x2c, 0x21][Math.floor(random() * 4)], near, Math.min(near + 4, out.length))
    case 3: {
      const [from, to] = [at(), at()].sort((a, b) => a - b)
      return Buffer.concat([out.subarray(0, to), out.subarray(from)])
    }
    default: {
      const [from, to] = [at(), at()].sort((a, b) => a - b)
      return Buffer.concat([out.subarray(0, from), out.subarray(Math.min(to, from + 40))])
    }
  }
}

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind} that was damaged ends with a typed error or an answer`, async t => {
    const file = await make()
    const random = mulberry32(2024)
    const files = Array.from({ length: ROUNDS }, () => mutate(file, random))
    const count = { errors: 0, answers: 0 }
    await mapBounded(files, 3, async (damaged, round) => {
      const options = { ...OPTIONS[round % OPTIONS.length], limits: LIMITS }
      try {
        const { warnings, data } = await pixrace.optimize(damaged, options)
        const failed = warnings.filter(({ code }) => code === 'encode-failed')
        assert.deepEqual(failed, [], `round ${round}`)
        assert.ok(data.length <= damaged.length)
        count.answers++
      } catch (error) {
        assert.ok(EXPECTED.includes(error.code), `round ${round}: ${error.stack}`)
        count.errors++
      }
    })
    t.diagnostic(JSON.stringify(count))
    assert.ok(count.errors > 0 && count.answers > 0, JSON.stringify(count))
  })
}
