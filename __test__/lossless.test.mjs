// `lossless: true` keeps its promise. By sharp's decoding every PNG and WebP candidate holds the very samples of the
// original: alpha, the colour under fully transparent pixels, and 16 bits where there are 16. What cannot promise it is
// skipped with a warning, and the answer is never larger than the original. Needs no corpus.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'
import { decode, decode16 } from './support/pixels.mjs'

/** Two decoders of JPEG may differ by so many steps. */
const DECODER_STEPS = 5

const EIGHT_BIT = [
  'photo.png',
  'photo.webp',
  'text.png',
  'line-art.png',
  'gradient.png',
  'logo-alpha.png',
  'alpha-gradient.png',
  'opaque-rgba.png',
  'palette.png',
  'palette-alpha.png',
  'grey.png',
  'grey-1bit.png',
  'grey-alpha.png',
  'pixel.png',
  'wide.png',
  'tall.png',
  'still.gif',
]
const SIXTEEN_BIT = ['grey16.png', 'rgb16.png', 'rgba16.png']

/** The answer, with its candidates by format; the original is not among these. */
async function race(file, options) {
  const result = await pixrace.optimize(file, { lossless: true, strategy: 'all', ...options })
  const original = result.candidates.pop()
  assert.ok(original.data.equals(file))
  return { result, byFormat: Object.fromEntries(result.candidates.map(candidate => [candidate.format, candidate])) }
}

/** Every sample, in rows: colour under transparent pixels included. */
async function samples(file, deep) {
  const { width, height, data } = await (deep ? decode16 : decode)(file)
  return { width, height, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }
}

async function assertIdentical(original, file, name, deep) {
  const [before, after] = [await samples(original, deep), await samples(file, deep)]
  assert.deepEqual([after.width, after.height], [before.width, before.height], name)
  const at = before.bytes.findIndex((byte, i) => byte !== after.bytes[i])
  assert.equal(at, -1, `${name}: byte ${at} of the pixels is ${after.bytes[at]}, not ${before.bytes[at]}`)
}

function assertSkipped({ byFormat, result }, ...expected) {
  const skipped = result.candidates.filter(({ outcome }) => outcome === 'skipped')
  assert.deepEqual(
    skipped.map(({ format, data, bytes, encodes }) => [format, data, bytes, encodes]),
    expected.map(format => [format, undefined, null, 0]),
  )
  assert.deepEqual(
    result.warnings.map(({ code, format }) => [code, format]),
    expected.map(format => ['format-skipped', format]),
  )
  for (const { format, message } of result.warnings) {
    assert.match(message, new RegExp(`^${format}.*(cannot keep every pixel|8 bits per sample.* 16)`, 'i'))
    assert.ok(format in byFormat)
  }
}

function assertNoLarger(result, original) {
  assert.ok(result.data.length <= original.length)
  assert.equal(result.isOriginal, result.data.equals(original))
  assert.deepEqual([result.passed, result.quality], [true, null])
}

describe('8 bits per sample', () => {
  for (const name of EIGHT_BIT) {
    test(`${name}: PNG and WebP hold every sample, AVIF and JPEG are skipped`, async () => {
      const original = fixture(name)
      const answer = await race(original)
      assertSkipped(answer, 'avif', 'jpeg')
      assertNoLarger(answer.result, original)
      for (const format of ['webp', 'png']) {
        const { data, quality, outcome } = answer.byFormat[format]
        assert.equal(quality, null)
        assert.match(outcome, /^(won|lost)$/)
        await assertIdentical(original, data, `${name} as ${format}`)
      }
    })
  }

  test('colour under fully transparent pixels is kept, at every effort', async () => {
    const raw = Buffer.from(Array.from({ length: 64 * 64 * 4 }, (_, i) => (i % 4 === 3 ? 0 : (i * 37) % 251)))
    raw[3] = 255
    const original = await sharp(raw, { raw: { width: 64, height: 64, channels: 4 } })
      .png()
      .toBuffer()
    assert.ok((await samples(original)).bytes.equals(raw), 'sharp keeps what it is given')
    for (const effort of ['fast', 'balanced', 'best']) {
      const { byFormat } = await race(original, { effort })
      for (const format of ['webp', 'png']) {
        await assertIdentical(original, byFormat[format].data, `${format} at effort ${effort}`)
      }
    }
  })

  test('photo.jpg: what the JPEG shows is kept, up to the rounding of two decoders', async () => {
    const original = fixture('photo.jpg')
    const answer = await race(original, { effort: 'fast' })
    assertSkipped(answer, 'avif', 'jpeg')
    assertNoLarger(answer.result, original)
    await assertIdentical(answer.byFormat.png.data, answer.byFormat.webp.data, 'WebP and PNG')
    const [before, after] = [await samples(original), await samples(answer.byFormat.png.data)]
    const most = before.bytes.reduce((most, byte, i) => Math.max(most, Math.abs(byte - after.bytes[i])), 0)
    assert.ok(most <= DECODER_STEPS, `${most} steps`)
  })
})

describe('16 bits per sample', () => {
  for (const name of SIXTEEN_BIT) {
    test(`${name}: PNG keeps 16 bits, WebP is skipped too`, async () => {
      const original = fixture(name)
      const answer = await race(original)
      assertSkipped(answer, 'avif', 'webp', 'jpeg')
      assertNoLarger(answer.result, original)
      const { data } = answer.byFormat.png
      assert.equal((await sharp(data).metadata()).depth, 'ushort')
      await assertIdentical(original, data, name, true)
    })
  }

  test('16 bits that say no more than 8 are 8', async () => {
    // 8 bits are widened by repeating them: 255 becomes 65,535.
    const wide = Uint16Array.from({ length: 48 * 48 * 3 }, (_, i) => ((i * 7) % 256) * 257)
    const original = await sharp(wide, { raw: { width: 48, height: 48, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer()
    const { data } = await decode16(original)
    assert.ok(data.every((sample, i) => sample === (i % 4 === 3 ? 65_535 : wide[i - Math.floor(i / 4)])))
    const answer = await race(original)
    assertSkipped(answer, 'avif', 'jpeg')
    await assertIdentical(original, answer.byFormat.webp.data, 'WebP')
    assert.equal((await sharp(answer.byFormat.png.data).metadata()).depth, 'uchar')
  })
})

test('without the original the smallest lossless file is the answer, even if it is larger', async () => {
  const original = fixture('photo.webp')
  const { data, isOriginal, format, candidates } = await pixrace.optimize(original, {
    lossless: true,
    keepOriginal: false,
    strategy: 'all',
    effort: 'fast',
  })
  const sizes = candidates.flatMap(({ bytes }) => bytes ?? [])
  assert.deepEqual([isOriginal, data.length], [false, Math.min(...sizes)])
  assert.ok(data.length > original.length, 'a lossy original is smaller than any lossless copy')
  await assertIdentical(original, data, format)
})
