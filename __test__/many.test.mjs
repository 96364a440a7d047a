// optimizeMany: variants of one image, decoded once. Needs no corpus.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'

const PHOTO = fixture('photo.jpg')
const WIDTHS = [160, 40, 320, 96]
const variants = WIDTHS.map(width => ({ resize: { width } }))
const invalid = option => ({ code: 'ERR_PIXRACE_INVALID_OPTION', option })

describe('variants', () => {
  test('come back in their order, each of its size, each as good as asked for', async () => {
    const results = await pixrace.optimizeMany(PHOTO, variants, { minScore: 80 })
    assert.deepEqual(
      results.map(({ width }) => width),
      WIDTHS,
    )
    for (const { data, width, height, score, passed, isOriginal } of results) {
      const found = await sharp(data).metadata()
      assert.deepEqual([found.width, found.height], [width, height])
      assert.ok(passed && (score >= 80 || isOriginal), `${width}: ${score}`)
    }
  })

  test('are the files that optimize makes, where nothing is searched', async () => {
    for (const shared of [{ quality: 60 }, { lossless: true }]) {
      const results = await pixrace.optimizeMany(PHOTO, variants, shared)
      for (const [i, { data }] of results.entries()) {
        const alone = await pixrace.optimize(PHOTO, { ...shared, ...variants[i] })
        assert.ok(data.equals(alone.data), `${JSON.stringify(shared)} ${WIDTHS[i]}`)
      }
    }
  })

  test('that are searched are about as small as those of optimize', async () => {
    const results = await pixrace.optimizeMany(PHOTO, variants)
    for (const [i, { data }] of results.entries()) {
      const alone = await pixrace.optimize(PHOTO, variants[i])
      assert.ok(data.length <= 1.1 * alone.data.length, `${WIDTHS[i]}: ${data.length}, alone ${alone.data.length}`)
    }
  })

  test('inherit what they do not say, and say the rest themselves', async () => {
    const own = [{ formats: ['png'] }, { quality: 20 }, {}, { resize: { width: 50 }, placeholder: 'color' }]
    const results = await pixrace.optimizeMany(PHOTO, own, { formats: ['webp'], quality: 70, keepOriginal: false })
    assert.deepEqual(
      results.map(({ format }) => format),
      ['png', 'webp', 'webp', 'webp'],
    )
    assert.ok(results[1].data.length < results[2].data.length)
    assert.deepEqual(
      results.map(({ width }) => width),
      [960, 960, 960, 50],
    )
    assert.match(results[3].placeholder, /^#/)
    assert.equal(results[2].placeholder, null)
  })

  test('may differ in their colours: each decoded as it asks', async () => {
    const p3 = await sharp(PHOTO).withIccProfile('p3').png().toBuffer()
    const options = { formats: ['png'], keepOriginal: false, lossless: true }
    const results = await pixrace.optimizeMany(p3, [{ colorProfile: 'srgb' }, { colorProfile: 'keep' }, {}], options)
    const profiles = await Promise.all(results.map(async ({ data }) => Boolean((await sharp(data).metadata()).icc)))
    assert.deepEqual(profiles, [false, true, true])
  })

  test('of an animation are animations', async () => {
    const results = await pixrace.optimizeMany(fixture('animated.gif'), [{ resize: { width: 20 } }, {}], {
      quality: 80,
      keepOriginal: false,
    })
    const pages = (await pixrace.inspect(fixture('animated.gif'))).pages
    for (const { data, width } of results) {
      const found = await sharp(data).metadata()
      assert.deepEqual([found.pages, found.width], [pages, width])
    }
    assert.equal(results[0].width, 20)
  })

  test('have the original as a candidate where nothing is resized', async () => {
    const [small, whole] = await pixrace.optimizeMany(PHOTO, [{ resize: { width: 50 } }, {}], { formats: ['png'] })
    assert.equal(small.isOriginal, false)
    assert.equal(whole.isOriginal, true)
  })

  test('are the same bytes at every concurrency, and each time', async () => {
    const run = concurrency => pixrace.optimizeMany(PHOTO, variants, { concurrency })
    const [one, two, again] = [await run(1), await run(2), await run(2)]
    for (const [i, { data }] of one.entries()) {
      assert.ok(data.equals(two[i].data) && data.equals(again[i].data), `${WIDTHS[i]}`)
    }
  })
})

describe('bad input', () => {
  test('variants that are none', async () => {
    for (const wrong of [undefined, null, {}, 'x', [], new Array(33).fill({}), new Array(100).fill({})]) {
      await assert.rejects(pixrace.optimizeMany(PHOTO, wrong), invalid('variants'))
    }
    for (const wrong of [undefined, 1, [], 'x']) {
      await assert.rejects(pixrace.optimizeMany(PHOTO, [{}, wrong]), invalid('variants[1]'))
    }
  })

  test('an option of a variant is named with it', async () => {
    const reject = (variant, option) =>
      assert.rejects(pixrace.optimizeMany(PHOTO, [{}, variant]), invalid(`variants[1].${option}`))
    await reject({ resize: { width: 0 } }, 'resize.width')
    await reject({ quality: 101 }, 'quality')
    await reject({ widht: 5 }, 'widht')
    for (const name of ['concurrency', 'parallel', 'limits', 'signal']) await reject({ [name]: 1 }, name)
    await assert.rejects(pixrace.optimizeMany(PHOTO, [{}], { quality: 101 }), invalid('quality'))
    await assert.rejects(
      pixrace.optimizeMany(PHOTO, [{ quality: 5 }], { minScore: 70 }),
      invalid('variants[0].quality'),
    )
  })

  test('limits hold for all of them', async () => {
    const enlarged = [{}, { resize: { width: 4000, enlarge: true } }]
    const limit = { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'maxPixels' }
    await assert.rejects(pixrace.optimizeMany(PHOTO, enlarged, { limits: { maxPixels: 100_000 } }), limit)
    await assert.rejects(pixrace.optimizeMany(PHOTO.subarray(0, 3000), variants), { code: 'ERR_PIXRACE_CORRUPT_INPUT' })
  })

  test('a signal and a timeout stop it', async () => {
    const controller = new AbortController()
    const call = pixrace.optimizeMany(PHOTO, variants, { effort: 'best', signal: controller.signal })
    setTimeout(() => controller.abort(new Error('enough')), 20)
    await assert.rejects(call, /enough/)
    const options = { effort: 'best', limits: { timeoutMs: 5 } }
    await assert.rejects(pixrace.optimizeMany(PHOTO, variants, options), { code: 'ERR_PIXRACE_TIMEOUT' })
  })
})
