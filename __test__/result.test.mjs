// Shows the answer of optimize: its exact shape, the order of the candidates, which one is `data` and what becomes of the
// others under a byte budget, a tie, a format that cannot hold the picture, and transparency. Sizes are never written
// down here: a test asks once without the constraint and derives the constraint from that answer.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { mulberry32 } from '../fixtures/lib/random.mjs'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'

const ALL = ['avif', 'webp', 'jpeg', 'png']
// One file of every format; without a search nothing is scored.
const ONCE = { effort: 'fast', quality: 80, strategy: 'all' }
const PICTURE = /\.(png|jpg|webp|gif)$/

const outcomes = result => result.candidates.map(candidate => candidate.outcome)
const formats = result => result.candidates.map(candidate => candidate.format)
const smallest = candidates => Math.min(...candidates.map(candidate => candidate.bytes ?? Number.POSITIVE_INFINITY))

function assertKeys(object, expected, optional = []) {
  const keys = Object.keys(object).filter(key => !optional.includes(key))
  assert.deepEqual(keys.sort(), [...expected].sort())
}

function assertMilliseconds(...values) {
  for (const value of values)
    assert.ok(typeof value === 'number' && value >= 0 && Number.isFinite(value), `${value} ms`)
}

function assertCandidate(candidate) {
  assertKeys(candidate, ['format', 'bytes', 'quality', 'score', 'encodes', 'elapsedMs', 'outcome'], ['data'])
  assert.ok(candidate.score === null || (typeof candidate.score === 'number' && candidate.score <= 100))
  assertMilliseconds(candidate.elapsedMs)
  if (candidate.data === undefined) return assert.equal(candidate.bytes, null)
  assert.ok(Buffer.isBuffer(candidate.data))
  return assert.equal(candidate.bytes, candidate.data.length)
}

/** What holds for every answer. */
function assertShape(result, input) {
  const plain = [
    'format',
    'width',
    'height',
    'quality',
    'score',
    'isOriginal',
    'passed',
    'placeholder',
    'input',
    'timings',
  ]
  assertKeys(result, ['data', 'candidates', 'warnings', ...plain])
  for (const candidate of result.candidates) assertCandidate(candidate)
  for (const warning of result.warnings) {
    assertKeys(warning, ['code', 'message'], ['format'])
    assert.match(warning.message, /^\S.*\.$/)
    assert.ok(!('format' in warning) || ALL.includes(warning.format))
  }
  assertKeys(result.timings, ['decodeMs', 'resizeMs', 'encodeMs', 'scoreMs', 'totalMs', 'queuedMs'])
  assertMilliseconds(...Object.values(result.timings))
  const { decodeMs, resizeMs, encodeMs, queuedMs, totalMs } = result.timings
  assert.ok(queuedMs + decodeMs + resizeMs + encodeMs <= totalMs + 1, JSON.stringify(result.timings))
  assert.equal(result.input.bytes, input.length)
  const winner = result.candidates.find(candidate => candidate.data === result.data)
  assert.ok(winner, 'data is the very Buffer of a candidate')
  assert.deepEqual([result.format, result.quality, result.score], [winner.format, winner.quality, winner.score])
  assert.equal(result.passed, winner.outcome === 'won')
}

describe('the answer', () => {
  it('has exactly this shape', async () => {
    const input = fixture('photo.png')
    for (const result of [await pixrace.optimize(input, ONCE), pixrace.optimizeSync(input, ONCE)]) {
      assertShape(result, input)
      assert.deepEqual([result.width, result.height], [320, 240])
      assert.deepEqual(result.input, await pixrace.inspect(input))
      assert.deepEqual(result.warnings, [])
      assert.deepEqual(
        result.candidates.map(candidate => candidate.encodes),
        [1, 1, 1, 1, 0],
      )
      assert.deepEqual(
        result.candidates.map(candidate => candidate.score),
        [null, null, null, null, null],
      )
      assert.deepEqual([result.isOriginal, result.passed, result.placeholder], [false, true, null])
    }
  })

  it('has the same shape after a search, where every file has a score and an abandoned format has no file', async () => {
    for (const name of ['photo.jpg', 'logo-alpha.png']) {
      const input = fixture(name)
      for (const result of [await pixrace.optimize(input), pixrace.optimizeSync(input, { maxBytes: 4000 })]) {
        assertShape(result, input)
        for (const { data, score, outcome } of result.candidates) {
          if (data && outcome !== 'over-budget') assert.equal(typeof score, 'number', outcome)
          if (!data) assert.match(outcome, /^(abandoned|skipped)$/)
        }
        assert.equal(result.candidates.at(-1).score, 100)
      }
    }
  })

  it('shows the picture upright', async () => {
    const result = await pixrace.optimize(fixture('exif-xmp.jpg'), { ...ONCE, formats: ['webp'] })
    assert.deepEqual([result.width, result.height], [240, 160])
    assert.deepEqual([result.input.width, result.input.height, result.input.orientation], [160, 240, 6])
    const shown = await sharp(result.data).metadata()
    assert.deepEqual([shown.format, shown.width, shown.height], ['webp', 240, 160])
  })

  it('lists the candidates in the order of the request, then the original', async () => {
    const input = fixture('still.gif')
    for (const order of [ALL, [...ALL].reverse(), ['jpeg', 'avif'], ['png']]) {
      const result = await pixrace.optimize(input, { ...ONCE, formats: order })
      assert.deepEqual(formats(result), [...order, 'gif'])
      assert.deepEqual(result.candidates.at(-1).data, input)
    }
  })

  it('leaves the original out with keepOriginal: false, however small it is', async () => {
    const input = fixture('tall.png')
    const kept = await pixrace.optimize(input, ONCE)
    assert.deepEqual([kept.isOriginal, kept.format, kept.quality], [true, 'png', null])
    assert.deepEqual(kept.data, input)
    const result = await pixrace.optimize(input, { ...ONCE, keepOriginal: false })
    assertShape(result, input)
    assert.deepEqual(formats(result), ALL)
    assert.equal(result.isOriginal, false)
    assert.ok(result.data.length > input.length)
  })

  it('names the quality of lossy candidates, and null for PNG, lossless ones and the original', async () => {
    const qualities = async options => {
      const result = await pixrace.optimize(fixture('palette.png'), { ...ONCE, ...options })
      return result.candidates.map(candidate => candidate.quality)
    }
    assert.deepEqual(await qualities({}), [80, 80, 80, null, null])
    assert.deepEqual(await qualities({ quality: 33 }), [33, 33, 33, null, null])
    assert.deepEqual(await qualities({ quality: { webp: 7 } }), [80, 7, 80, null, null])
    assert.deepEqual(await qualities({ lossless: true, quality: undefined }), [null, null, null, null, null])
  })
})

describe('which candidate is the answer', () => {
  it('is the smallest, and never larger than the input, on every fixture', async () => {
    const names = readdirSync(new URL('../fixtures', import.meta.url)).filter(name => PICTURE.test(name))
    assert.ok(names.length > 30)
    for (const name of names) {
      const input = fixture(name)
      const result = await pixrace.optimize(input, ONCE)
      assertShape(result, input)
      assert.equal(result.passed, true, name)
      assert.ok(result.data.length <= input.length, name)
      assert.equal(result.data.length, smallest(result.candidates), name)
      assert.equal(outcomes(result).filter(outcome => outcome === 'won').length, 1, name)
      assert.ok(
        outcomes(result).every(outcome => ['won', 'lost', 'skipped'].includes(outcome)),
        name,
      )
    }
  })

  it('is the earlier format on a tie, and a format rather than the original', async () => {
    const encoded = await pixrace.optimize(fixture('palette.png'), { formats: ['png'], lossless: true })
    const again = await pixrace.optimize(encoded.data, { formats: ['png'], lossless: true })
    assert.deepEqual(
      again.candidates.map(candidate => candidate.bytes),
      [encoded.data.length, encoded.data.length],
    )
    assert.deepEqual([again.isOriginal, ...outcomes(again)], [false, 'won', 'lost'])
    const { input, bytes } = await tied()
    for (const order of [
      ['webp', 'png'],
      ['png', 'webp'],
    ]) {
      const result = await pixrace.optimize(input, {
        formats: order,
        lossless: true,
        strategy: 'all',
        keepOriginal: false,
      })
      assert.deepEqual([result.format, result.data.length, ...outcomes(result)], [order[0], bytes, 'won', 'lost'])
    }
  })
})

/** A picture of noise whose lossless WebP and PNG have the same size: one in sixty has. */
async function tied() {
  const random = mulberry32(1)
  for (let width = 1; width <= 24; width++) {
    for (let height = 1; height <= width; height++) {
      const noise = Buffer.alloc(width * height * 3).map(() => random() * 256)
      const input = await sharp(noise, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer()
      const options = { formats: ['webp', 'png'], lossless: true, strategy: 'all', keepOriginal: false }
      const { candidates } = await pixrace.optimize(input, options)
      if (candidates[0].bytes === candidates[1].bytes) return { input, bytes: candidates[0].bytes }
    }
  }
  throw new Error('no picture ties WebP with PNG: look for another one')
}

describe('maxBytes', () => {
  const input = fixture('photo.png')

  it('filters: what is above it is over budget, the smallest below it wins', async () => {
    const { candidates } = await pixrace.optimize(input, ONCE)
    const sizes = candidates.map(candidate => candidate.bytes).sort((a, b) => a - b)
    for (const maxBytes of sizes) {
      const result = await pixrace.optimize(input, { ...ONCE, maxBytes })
      assertShape(result, input)
      assert.deepEqual([result.passed, result.data.length, result.warnings.length], [true, sizes[0], 0])
      for (const { bytes, outcome } of result.candidates) {
        const expected = bytes === sizes[0] ? 'won' : 'lost'
        assert.equal(outcome, bytes > maxBytes ? 'over-budget' : expected)
      }
    }
  })

  it('that nothing satisfies is said to be infeasible, and the smallest is returned', async () => {
    const free = await pixrace.optimize(input, ONCE)
    const maxBytes = smallest(free.candidates) - 1
    const result = await pixrace.optimize(input, { ...ONCE, maxBytes })
    assertShape(result, input)
    assert.deepEqual([result.passed, result.data], [false, free.data])
    assert.deepEqual(outcomes(result), Array(5).fill('over-budget'))
    assert.deepEqual(
      result.warnings.map(({ code, format }) => [code, format]),
      [['infeasible', undefined]],
    )
    assert.match(result.warnings[0].message, new RegExp(`\\b${maxBytes}\\b.*maxBytes`))
  })
})
