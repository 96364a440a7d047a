// `verify: false` takes a sample's word for the look: one encode, no score, and a look near the one asked for. Where a sample
// says too little, files are judged as ever.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import pixrace from '../index.js'
import { corpusFiles, mapBounded, withCorpus } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'

// Read when the pool is built, which the first call does.
process.env.PIXRACE_THREADS = '3'

/** 960 × 640 pixels, the first photo-like and the second drawn. */
const [PHOTO, DRAWING] = [fixture('photo.jpg'), fixture('text.png')]
const TRUSTED = { verify: false, keepOriginal: false, minScore: 75 }
/** Points by which a look may miss what was asked for. */
const NEAR = 4

const summary = ({ candidates }) => candidates.map(({ format, outcome, encodes }) => `${format} ${outcome} ${encodes}`)
const judged = ({ candidates }) =>
  candidates.every(({ data, outcome, score }) => !data || outcome === 'over-budget' || score !== null)

/** As `optimize` would say without `verify: false`. */
async function scoreOf(input, { data, width }) {
  const same = { formats: ['png'], lossless: true, keepOriginal: false, resize: { width } }
  return pixrace.score((await pixrace.optimize(input, same)).data, data)
}

describe('verify: false', () => {
  for (const effort of ['fast', 'balanced', 'best']) {
    test(`makes one file of a photograph, with effort '${effort}'`, async () => {
      const result = await pixrace.optimize(PHOTO, { ...TRUSTED, effort })
      assert.deepEqual(summary(result), ['avif won 1', 'webp abandoned 0', 'jpeg abandoned 0', 'png abandoned 0'])
      assert.deepEqual([result.score, result.passed, result.timings.scoreMs < 1], [null, true, true])
      assert.deepEqual(result.warnings, [])
      const score = await scoreOf(PHOTO, result)
      assert.ok(Math.abs(score - 75) <= NEAR, `${score}`)
    })
  }

  test('without AVIF the most promising format alone is made', async () => {
    const result = await pixrace.optimize(PHOTO, { ...TRUSTED, formats: ['jpeg', 'webp'] })
    assert.deepEqual(result.candidates.map(({ encodes }) => encodes).sort(), [0, 1])
    assert.equal(result.score, null)
    const score = await scoreOf(PHOTO, result)
    assert.ok(Math.abs(score - 75) <= 2 * NEAR, `${score}`)
  })

  test('with strategy all every format is made once', async () => {
    const result = await pixrace.optimize(PHOTO, { ...TRUSTED, strategy: 'all' })
    const encodes = result.candidates.map(({ format, encodes }) => `${format} ${encodes}`)
    assert.deepEqual(encodes, ['avif 1', 'webp 1', 'jpeg 1', 'png 1'])
    const lossy = result.candidates.filter(({ format }) => format !== 'png')
    assert.ok(lossy.every(({ score }) => score === null))
  })

  const CHECKED = [
    ['a drawing', DRAWING, {}],
    ['a picture too small for a sample', fixture('photo.png'), {}],
    ['an icon', PHOTO, { resize: { width: 48 } }],
    ['an animation', fixture('animated.gif'), {}],
    ['a budget beside the score', PHOTO, { maxBytes: 30_000 }],
    ['a budget alone', PHOTO, { maxBytes: 30_000, minScore: undefined }],
  ]
  for (const [what, input, options] of CHECKED) {
    test(`judges ${what} as ever`, async () => {
      const result = await pixrace.optimize(input, { ...TRUSTED, effort: 'fast', ...options })
      assert.ok(judged(result), summary(result).join(', '))
      assert.ok(result.score !== null && result.candidates.some(({ encodes }) => encodes > 0))
    })
  }

  test('changes nothing where nothing is searched', async () => {
    for (const options of [{ quality: 60 }, { lossless: true, formats: ['png', 'webp'] }]) {
      const [with_, without] = await Promise.all(
        [true, false].map(verify => pixrace.optimize(PHOTO, { ...options, verify, keepOriginal: false })),
      )
      assert.deepEqual([with_.data.equals(without.data), with_.score], [true, without.score])
    }
  })

  test('no byte depends on the threads', async () => {
    const options = { ...TRUSTED, effort: 'fast' }
    const files = await Promise.all(
      [1, 2, 3].map(async concurrency => (await pixrace.optimize(PHOTO, { ...options, concurrency })).data),
    )
    assert.ok(files[0].equals(files[1]) && files[0].equals(files[2]))
  })

  test('the original still wins where it is smaller', async () => {
    const small = (await pixrace.optimize(PHOTO, { ...TRUSTED, minScore: 40, formats: ['jpeg'] })).data
    const result = await pixrace.optimize(small, { verify: false, minScore: 90, formats: ['jpeg', 'webp', 'avif'] })
    assert.ok(result.isOriginal && result.passed && result.data.equals(small))
  })

  withCorpus('on photographs', ['photos', 'kodak'], () => {
    const files = [...corpusFiles('photos'), ...corpusFiles('kodak').slice(0, 6)]
    test('judges files of a format that may not reach the score', async () => {
      const options = { ...TRUSTED, minScore: 89.9, formats: ['webp'], effort: 'fast' }
      const results = await mapBounded(files, 2, async ({ read }) => {
        const { score } = await pixrace.optimize(read(), options)
        const { passed } = await pixrace.optimize(read(), { ...options, verify: true })
        return { judged: score !== null, passed }
      })
      const beyondReach = results.filter(({ passed }) => !passed)
      assert.ok(beyondReach.length > 0 && beyondReach.length < files.length)
      assert.ok(
        beyondReach.every(one => one.judged),
        JSON.stringify(results),
      )
    })

    for (const effort of ['fast', 'balanced']) {
      test(`the look of ${files.length} is near what was asked for, with effort '${effort}'`, async () => {
        const misses = await mapBounded(files, 2, async ({ read }) => {
          const input = read()
          const result = await pixrace.optimize(input, { ...TRUSTED, effort, resize: { width: 760 } })
          return (await scoreOf(input, result)) - 75
        })
        const mean = misses.reduce((sum, miss) => sum + miss, 0) / misses.length
        assert.ok(Math.abs(mean) <= 1.5, `on average ${mean}`)
        assert.ok(Math.max(...misses.map(Math.abs)) <= 2 * NEAR, misses.map(miss => miss.toFixed(1)).join(' '))
      })
    }
  })
})
