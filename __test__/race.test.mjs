// The race changes how much work is done and never the answer: `race` and `all` give the same winning file, byte for
// byte, on every fixture and, where the corpus is there, on photos, graphics and odd PNGs. What is abandoned depends on
// the picture alone, so every `concurrency` gives the same outcomes.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pixrace from '../index.js'
import { corpusFiles, mapBounded, withCorpus } from './support/corpus.mjs'
import { digest } from './support/digests.mjs'
import { fixture } from './support/fixtures.mjs'

// Read when the pool is built, which the first call does.
process.env.PIXRACE_THREADS = '3'

const PROMISED_MS = 50
const NAMES = readdirSync(new URL('../fixtures', import.meta.url)).filter(name => /\.(png|jpg|webp|gif)$/.test(name))

/** The fixtures of which a format is abandoned: 960 × 640 pixels, and 760 × 520. */
const [PHOTO, DRAWING] = ['photo.jpg', 'text.png']

const fixtures = names => names.map(name => ({ name, read: () => fixture(name) }))
const outcomes = result => result.candidates.map(({ format, outcome }) => [format, outcome])
const abandoned = result => result.candidates.filter(({ outcome }) => outcome === 'abandoned')
const encodes = result => result.candidates.reduce((sum, candidate) => sum + candidate.encodes, 0)

/** The pictures of which the two strategies have different answers. */
async function differing(files, options) {
  const found = await mapBounded(files, 2, async ({ name, read }) => {
    const [race, all] = [
      await pixrace.optimize(read(), { ...options, strategy: 'race' }),
      await pixrace.optimize(read(), { ...options, strategy: 'all' }),
    ]
    assert.deepEqual(abandoned(all), [], `${name}: nothing is abandoned of all`)
    assert.ok(encodes(race) <= encodes(all), `${name}: ${encodes(race)} encodes of a race, ${encodes(all)} of all`)
    const answer = ({ format, quality, score, isOriginal, passed }) => ({ format, quality, score, isOriginal, passed })
    if (race.data.equals(all.data) && JSON.stringify(answer(race)) === JSON.stringify(answer(all))) return []
    const tell = ({ format, data, score }) => `${format} of ${data.length} bytes, score ${score}`
    return [`${name}: ${tell(race)}; of all ${tell(all)}`]
  })
  return found.flat()
}

const OPTIONS = [{}, { effort: 'fast' }]
const STRICT = { minScore: 85, keepOriginal: false, effort: 'fast' }

describe('race and all have the same answer', () => {
  for (const options of [...OPTIONS, { lossless: true, effort: 'fast' }, { quality: 80, effort: 'fast' }, STRICT]) {
    test(`on every fixture, with ${JSON.stringify(options)}`, async () => {
      // Of an animated PNG there is no answer but the original.
      const names = NAMES.filter(name => options.keepOriginal !== false || name !== 'animated.png')
      assert.ok(names.length > 30)
      assert.deepEqual(await differing(fixtures(names), options), [])
    })
  }

  test('within maxBytes', async () => {
    const files = fixtures([PHOTO, DRAWING, 'photo.png', 'line-art.png'])
    const effort = 'fast'
    for (const maxBytes of [20_000, 2000]) assert.deepEqual(await differing(files, { maxBytes, effort }), [])
    assert.deepEqual(await differing(files, { maxBytes: 20_000, minScore: 60, effort }), [])
  })

  withCorpus('on the corpus', ['kodak', 'graphics', 'pngsuite', 'samples', 'webp'], () => {
    const sound = file => /\.(png|webp)$/.test(file.name) && !file.name.startsWith('x')
    const pick = (folder, count, step = 1) =>
      corpusFiles(folder)
        .filter(sound)
        .filter((_, index) => index % step === 0)
        .slice(0, count)
    const folders = {
      kodak: pick('kodak', 6),
      graphics: pick('graphics'),
      pngsuite: pick('pngsuite', 20, 8),
      samples: pick('samples'),
      webp: pick('webp', 3),
    }
    for (const options of OPTIONS) {
      for (const [folder, files] of Object.entries(folders)) {
        test(`on ${files.length} of ${folder}, with ${JSON.stringify(options)}`, async () => {
          assert.ok(files.length > 2)
          assert.deepEqual(await differing(files, options), [])
        })
      }
    }
    test('on photos within maxBytes', async () => {
      assert.deepEqual(await differing(folders.kodak.slice(0, 4), { maxBytes: 20_000, effort: 'fast' }), [])
    })
  })
})

describe('a format that cannot win', () => {
  for (const [name, format] of [
    [PHOTO, 'png'],
    [DRAWING, 'jpeg'],
  ]) {
    test(`is abandoned, as ${format} is of ${name}: no file, no warning`, async () => {
      const result = await pixrace.optimize(fixture(name))
      const candidate = result.candidates.find(one => one.format === format)
      const { elapsedMs, ...rest } = candidate
      assert.deepEqual(rest, { format, bytes: null, quality: null, score: null, encodes: 0, outcome: 'abandoned' })
      assert.ok(!('data' in candidate) && elapsedMs >= 0)
      assert.deepEqual(result.warnings, [])
      assert.equal(result.passed, true)
    })
  }

  test('saves encodes', async () => {
    for (const name of [PHOTO, DRAWING]) {
      const [race, all] = [await pixrace.optimize(fixture(name)), await pixrace.optimize(fixture(name), ALL)]
      assert.ok(encodes(race) < encodes(all), `${encodes(race)} and ${encodes(all)} encodes of ${name}`)
    }
  })

  test('is finished where it is the only one', async () => {
    const result = await pixrace.optimize(fixture(PHOTO), { formats: ['png'], keepOriginal: false })
    assert.deepEqual(outcomes(result), [['png', 'won']])
  })

  test('is finished by strategy all', async () => {
    const result = await pixrace.optimize(fixture(PHOTO), ALL)
    assert.deepEqual(
      result.candidates.map(({ data }) => Boolean(data)),
      Array(5).fill(true),
    )
  })
})

const ALL = { strategy: 'all' }

describe('concurrency changes neither files nor outcomes', () => {
  for (const name of [PHOTO, DRAWING, 'photo.webp', 'logo-alpha.png', 'rgb16.png']) {
    for (const options of [{}, { maxBytes: 15_000, effort: 'fast' }]) {
      test(`${name}, with ${JSON.stringify(options)}`, async () => {
        const run = concurrency => pixrace.optimize(fixture(name), { ...options, concurrency })
        const [one, two, three] = [await run(1), await run(2), await run(3)]
        const counts = result => result.candidates.map(candidate => candidate.encodes)
        for (const other of [two, three]) {
          assert.equal(digest(other), digest(one))
          assert.deepEqual(outcomes(other), outcomes(one))
          assert.deepEqual(counts(other), counts(one))
        }
      })
    }
  }
})

describe('a race that is aborted', () => {
  // While samples are looked at, in the first heat and late; the best of three, because a busy machine may wake any process
  // late.
  for (const milliseconds of [20, 150, 400]) {
    test(`after ${milliseconds} ms rejects within 50 ms, with the reason`, async () => {
      const times = []
      for (let round = 0; round < 3; round++) {
        const controller = new AbortController()
        const promise = pixrace.optimize(fixture(PHOTO), { signal: controller.signal })
        const rejected = promise.then(
          () => assert.fail('the call was not stopped'),
          reason => reason,
        )
        await sleep(milliseconds)
        const started = performance.now()
        controller.abort('enough')
        assert.equal(await rejected, 'enough')
        times.push(performance.now() - started)
        // Nothing of it is left when a call on one thread may start.
        await pixrace.optimize(fixture('pixel.png'), { concurrency: 1 })
      }
      assert.ok(Math.min(...times) < PROMISED_MS, `${times} ms`)
    })
  }

  test('leaves the next one as it would have been', async () => {
    const before = await pixrace.optimize(fixture('photo.png'))
    const controller = new AbortController()
    const promise = pixrace.optimize(fixture('photo.png'), { signal: controller.signal })
    await sleep(50)
    controller.abort('enough')
    await promise.catch(() => {})
    assert.equal(digest(await pixrace.optimize(fixture('photo.png'))), digest(before))
  })
})
