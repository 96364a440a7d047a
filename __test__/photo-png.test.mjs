// Photographs as PNG, where nothing else is allowed: few colours, judged like any other file.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { corpusFiles, withCorpus } from './support/corpus.mjs'
import { digest } from './support/digests.mjs'
import { fixture } from './support/fixtures.mjs'

const PNG = { formats: ['png'], keepOriginal: false }
const INDEXED = 3

/** What byte 25 of a PNG says of its samples: in its header, after depth. */
const colorType = png => png[25]

const crop = (width, height) =>
  sharp(fixture('photo.jpg')).extract({ left: 300, top: 200, width, height }).png().toBuffer()

/** Scored by pixrace's decoder and by sharp's. */
async function assertLooksRight(input, { data, score, passed }, minScore = 70) {
  assert.ok(passed && score >= minScore, `a score of ${score}`)
  assert.equal(await pixrace.score(input, data), score)
  assert.equal(await pixrace.score(input, await sharp(data).ensureAlpha().png().toBuffer()), score)
}

describe('a photograph as PNG', () => {
  for (const effort of ['fast', 'balanced']) {
    test(`gets a palette that looks right, with effort ${effort}`, async () => {
      const input = fixture('photo.jpg')
      const few = await pixrace.optimize(input, { ...PNG, effort })
      await assertLooksRight(input, few)
      assert.equal(colorType(few.data), INDEXED)
      const every = await pixrace.optimize(input, { ...PNG, effort: 'fast', lossless: true })
      assert.ok(few.data.length < every.data.length / 2, `${few.data.length} of ${every.data.length} bytes`)
    })
  }

  test('takes about as many bytes as one of a few pixels less', async () => {
    const [small, large] = await Promise.all([crop(256, 256), crop(257, 256)])
    const [before, after] = [await pixrace.optimize(small, PNG), await pixrace.optimize(large, PNG)]
    await assertLooksRight(large, after)
    assert.ok(after.data.length < before.data.length * 1.1, `${before.data.length} and ${after.data.length} bytes`)
  })

  test('keeps every pixel where few colours cannot look right, or a quality is given', async () => {
    const input = await crop(400, 300)
    for (const options of [{ minScore: 99 }, { quality: 50 }]) {
      const { data, score } = await pixrace.optimize(input, { ...PNG, effort: 'fast', ...options })
      assert.notEqual(colorType(data), INDEXED)
      assert.equal(await pixrace.score(input, data), 100)
      assert.ok(score === null || score === 100)
    }
  })

  test('is the best-looking one within maxBytes', async () => {
    const input = await crop(400, 300)
    let before = Number.NEGATIVE_INFINITY
    for (const maxBytes of [15_000, 30_000, 60_000]) {
      const { data, score, passed } = await pixrace.optimize(input, { ...PNG, effort: 'fast', maxBytes })
      assert.ok(passed && data.length <= maxBytes && data.length > maxBytes / 2, `${data.length} of ${maxBytes} bytes`)
      assert.ok(score > before, `${score} within ${maxBytes} bytes`)
      before = score
    }
  })

  test('gets a palette beside other formats with strategy all, and is abandoned without', async () => {
    const input = fixture('photo.jpg')
    const options = { formats: ['avif', 'png'], keepOriginal: false, effort: 'fast' }
    const [all, race] = [
      await pixrace.optimize(input, { ...options, strategy: 'all' }),
      await pixrace.optimize(input, options),
    ]
    const png = all.candidates[1]
    await assertLooksRight(input, { ...png, passed: png.outcome === 'lost' })
    assert.equal(colorType(png.data), INDEXED)
    assert.ok(race.data.equals(all.data))
    assert.deepEqual([race.candidates[1].outcome, race.candidates[1].encodes], ['abandoned', 0])
  })

  test('is the same at every concurrency', async () => {
    const input = await crop(400, 300)
    const run = concurrency => pixrace.optimize(input, { ...PNG, concurrency })
    const [one, two] = [await run(1), await run(2)]
    assert.equal(digest(one), digest(two))
  })
})

withCorpus('photos of the corpus as PNG', ['kodak'], () => {
  for (const { name, read } of corpusFiles('kodak').filter((_, index) => index % 8 === 6)) {
    test(`${name} takes less than half of its bytes`, async () => {
      const input = read()
      const result = await pixrace.optimize(input, { ...PNG, effort: 'fast' })
      await assertLooksRight(input, result)
      assert.ok(result.data.length < input.length / 2, `${result.data.length} of ${input.length} bytes`)
    })
  }
})
