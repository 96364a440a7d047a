// Shows that every wrong option is refused, and how: a rejected promise (a throw of optimizeSync) with an Error whose
// code is stable and whose message names the option and what came. Table-driven: one row per option, one value per
// mistake. The last part holds index.d.ts against the engine, so that neither knows an option that the other does not.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'

const PIXEL = fixture('pixel.png')
const MAX_SIDE = 65_535

// One valid value for every option of this version.
const VALID = {
  formats: ['png'],
  quality: { avif: 1, webp: 50, jpeg: 100 },
  minScore: 85.5,
  maxBytes: 1000,
  lossless: true,
  verify: false,
  effort: 'fast',
  strategy: 'all',
  concurrency: 2,
  parallel: false,
  keepOriginal: false,
  resize: { width: 3, height: 65_535, fit: 'cover', enlarge: false },
  flatten: '#00fF7f',
  colorProfile: 'keep',
  metadata: 'keep',
  placeholder: 'blur',
  limits: { maxPixels: 1, maxInputBytes: 1000, maxFrames: 1, timeoutMs: 86_400_000 },
  signal: new AbortController().signal,
}

const NOT_INTEGERS = [
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  '7',
  true,
  null,
  7n,
  {},
]
const NOT_BOOLEANS = ['true', 1, 0, null, {}]

// Option → values that it does not take.
const WRONG = {
  options: [null, 1, 'fast', true, [], [{}], () => ({}), Symbol('options'), 10n, new Uint8Array(1)],
  formats: ['png', {}, 1, null, true, []],
  quality: ['80', null, true, [80], 101, ...NOT_INTEGERS.filter(value => value?.constructor !== Object)],
  minScore: [101, 100.001, -1, Number.NaN, Number.POSITIVE_INFINITY, '70', '', true, null, 70n, {}, [70]],
  maxBytes: [...NOT_INTEGERS, 2 ** 53],
  lossless: NOT_BOOLEANS,
  verify: NOT_BOOLEANS,
  effort: ['slow', 'FAST', '', 1, null, true],
  strategy: ['RACE', 'one', 'every', '', 1, true, null],
  concurrency: [...NOT_INTEGERS, 2 ** 53],
  parallel: NOT_BOOLEANS,
  keepOriginal: NOT_BOOLEANS,
  flatten: ['red', '#fff', 'ffffff', '#gggggg', '#ffffff80', '#+fffff', '', 0xffffff, null, ['#ffffff']],
  metadata: ['all', '', true, null],
  placeholder: ['blurhash', 'Color', '', true, null, ['blur'], { side: 16 }],
  limits: [3, 'none', null, []],
  signal: [1, 'abort', null, {}, new EventTarget(), new AbortController()],
  resize: [100, '100x100', null, true, [], [100, 100]],
  colorProfile: ['sRGB', 'p3', '', true, null],
}

// The same one level down.
const WRONG_INSIDE = {
  'quality.avif': [...NOT_INTEGERS, 101],
  'quality.webp': [...NOT_INTEGERS, 101],
  'quality.jpeg': [...NOT_INTEGERS, 101],
  'resize.width': [...NOT_INTEGERS, MAX_SIDE + 1],
  'resize.height': [...NOT_INTEGERS, MAX_SIDE + 1],
  'limits.maxPixels': [...NOT_INTEGERS, MAX_SIDE ** 2 + 1],
  'limits.maxInputBytes': [...NOT_INTEGERS, 2 ** 53],
  'limits.maxFrames': [...NOT_INTEGERS, 100_000],
  'limits.timeoutMs': [...NOT_INTEGERS, 86_400_001],
}

// Options, the one that is to blame, what the message quotes.
const CASES = [
  [{ qualty: 80 }, 'qualty', '80'],
  [{ Formats: ['png'] }, 'Formats', 'an array of 1'],
  [{ formats: ['png'], toString: null }, 'toString', 'null'],
  [JSON.parse('{"__proto__": 1}'), '__proto__', '1'],
  [{ limits: { maxPixel: 5 } }, 'limits.maxPixel', '5'],
  [{ quality: { png: 80 } }, 'quality.png', '80'],
  [{ resize: {} }, 'resize', 'neither'],
  [{ resize: { fit: 'fill', enlarge: true } }, 'resize', 'neither'],
  [{ resize: { width: 10, withoutEnlargement: true } }, 'resize.withoutEnlargement', 'true'],
  [{ resize: { width: 10, fit: 'outside' } }, 'resize.fit', "'outside'"],
  [{ resize: { width: 10, fit: null } }, 'resize.fit', 'null'],
  [{ resize: { width: 10, enlarge: 1 } }, 'resize.enlarge', '1'],
  [{ formats: ['png', 'webp', 'png'] }, 'formats', "'png' more than once"],
  [{ formats: ['png', 'gif'] }, 'formats', "'gif'"],
  [{ formats: ['PNG'] }, 'formats', "'PNG'"],
  [{ formats: [7] }, 'formats', '7'],
  [{ formats: [null] }, 'formats', 'null'],
  [{ formats: [['png']] }, 'formats', 'an array of 1'],
  [{ formats: [undefined] }, 'formats', 'undefined'],
  [{ formats: Array(2) }, 'formats', 'undefined'],
  [{ quality: 80, lossless: true }, 'quality', '80'],
  [{ quality: { webp: 80 }, lossless: true }, 'quality', 'an object'],
  [{ quality: 80, minScore: 70 }, 'quality', '80'],
  [{ quality: {}, minScore: 0 }, 'quality', 'an object'],
  [{ quality: 80, minScore: 70, lossless: true }, 'quality', '80'],
  [{ minScore: 70, lossless: true }, 'minScore', '70'],
  [{ parallel: false, concurrency: 2 }, 'concurrency', '2'],
]

/** What came, as a message quotes it. */
function quote(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'object') return 'an object'
  if (['function', 'symbol', 'bigint'].includes(typeof value)) return `a ${typeof value}`
  return String(value)
}

function invalid(option, received) {
  return error => {
    assert.ok(error instanceof Error)
    assert.equal(error.code, 'ERR_PIXRACE_INVALID_OPTION')
    assert.equal(error.option, option)
    assert.equal(typeof error.expected, 'string')
    assert.notEqual(error.expected, '')
    assert.ok(error.received.includes(received), `received is ${error.received}, not ${received}`)
    for (const part of [option, error.expected, error.received]) assert.ok(error.message.includes(part), error.message)
    return true
  }
}

async function assertRefused(options, option, received) {
  const promise = pixrace.optimize(PIXEL, options)
  assert.ok(promise instanceof Promise)
  await assert.rejects(promise, invalid(option, received))
  assert.throws(() => pixrace.optimizeSync(PIXEL, options), invalid(option, received))
}

/** The keys of an interface of index.d.ts, comments left out. */
function declaredKeys(name) {
  const text = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8')
  const body = text.match(new RegExp(`export interface ${name} \\{([\\s\\S]*?)\\n\\}`))[1]
  return [...body.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/^ +(\w+)\??:/gm)].map(match => match[1])
}

/** The keys that the engine says it knows. */
async function engineKeys(options) {
  const error = await pixrace.optimize(PIXEL, options).then(assert.fail, refusal => refusal)
  return error.expected.match(/options (.*)$/)[1].split(', ')
}

describe('a wrong option is refused', () => {
  for (const [option, values] of Object.entries(WRONG)) {
    it(option, async () => {
      for (const value of values) {
        const options = option === 'options' ? value : { [option]: value }
        await assertRefused(options, option, quote(value))
      }
    })
  }

  for (const [path, values] of Object.entries(WRONG_INSIDE)) {
    it(path, async () => {
      const [outer, inner] = path.split('.')
      for (const value of values) await assertRefused({ [outer]: { [inner]: value } }, path, quote(value))
    })
  }

  for (const [options, option, received] of CASES) {
    it(`${option}: ${received}`, () => assertRefused(options, option, received))
  }

  it('minScore, with its range', async () => {
    for (const minScore of [101, -1, Number.NaN, '70']) {
      const error = await pixrace.optimize(PIXEL, { minScore }).then(assert.fail, refusal => refusal)
      assert.equal(error.expected, 'a number from 0 to 100')
    }
  })

  it('with a message of bounded length', async () => {
    const error = await pixrace.optimize(PIXEL, { effort: 'x'.repeat(1 << 20) }).then(assert.fail, refusal => refusal)
    assert.ok(error.message.length < 500, `${error.message.length} characters`)
  })

  it('behind any number of options that are not set', async () => {
    const unset = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`unset${index}`, undefined]))
    await assertRefused({ ...unset, quality: 'high' }, 'quality', "'high'")
    await assertRefused({ ...unset, qualty: 80 }, 'qualty', '80')
  })
})

describe('options that throw when they are read', () => {
  const boom = new RangeError('boom')
  const explode = () => {
    throw boom
  }
  const cases = {
    'a getter': {
      get quality() {
        return explode()
      },
    },
    'a nested getter': {
      limits: {
        get maxPixels() {
          return explode()
        },
      },
    },
    'the getter of the signal': {
      get signal() {
        return explode()
      },
    },
    'a proxy': new Proxy({}, { ownKeys: explode }),
    'a signal that takes no listener': { signal: { aborted: false, addEventListener: explode } },
  }
  for (const [title, options] of Object.entries(cases)) {
    it(`${title}: the promise rejects with what was thrown`, async () => {
      let promise
      assert.doesNotThrow(() => {
        promise = pixrace.optimize(PIXEL, options)
      })
      await assert.rejects(promise, error => error === boom)
    })
  }
})

describe('what is not set is not there', () => {
  it('undefined equals absent, at every level', async () => {
    const unset = Object.fromEntries([...Object.keys(VALID), 'unknown'].map(name => [name, undefined]))
    const absent = await pixrace.optimize(PIXEL)
    const sames = [undefined, {}, unset, { limits: { maxPixels: undefined, x: undefined } }]
    for (const options of sames) {
      const same = await pixrace.optimize(PIXEL, options)
      assert.deepEqual(
        same.candidates.map(one => one.data),
        absent.candidates.map(one => one.data),
      )
    }
    const [some, none] = [{ quality: { avif: undefined } }, { quality: {} }]
    assert.deepEqual((await pixrace.optimize(PIXEL, some)).data, (await pixrace.optimize(PIXEL, none)).data)
  })

  it('the defaults are minScore 70 and the race', async () => {
    const names = ({ data, outcome, bytes, encodes }) => ({ data, outcome, bytes, encodes })
    const photo = fixture('photo.jpg')
    const plain = await pixrace.optimize(photo)
    const said = await pixrace.optimize(photo, { minScore: 70, strategy: 'race', lossless: false })
    assert.deepEqual(said.candidates.map(names), plain.candidates.map(names))
    assert.ok(plain.candidates.some(({ outcome }) => outcome === 'abandoned'))
  })
})

describe('index.d.ts and the engine know the same options', () => {
  it('OptimizeOptions', async () => {
    const declared = declaredKeys('OptimizeOptions')
    const known = await engineKeys({ '': 0 })
    assert.deepEqual([...declared].sort(), known.sort())
    assert.deepEqual(declared.sort(), Object.keys(VALID).sort())
  })

  it('Limits, Qualities and Resize', async () => {
    assert.deepEqual(declaredKeys('Limits').sort(), (await engineKeys({ limits: { '': 0 } })).sort())
    assert.deepEqual(declaredKeys('Resize').sort(), (await engineKeys({ resize: { '': 0 } })).sort())
    assert.deepEqual(declaredKeys('Qualities').sort(), (await engineKeys({ quality: { '': 0 } })).sort())
  })

  for (const [name, value] of Object.entries(VALID)) {
    it(`${name} is accepted`, async () => {
      const options = { [name]: value }
      const [result, resultSync] = [await pixrace.optimize(PIXEL, options), pixrace.optimizeSync(PIXEL, options)]
      assert.deepEqual(result.data, resultSync.data)
    })
  }

  it('the ends of every range are accepted', async () => {
    const most = Number.MAX_SAFE_INTEGER
    for (const options of [
      { quality: 1, maxBytes: 1, concurrency: 1, limits: { maxPixels: 1, maxInputBytes: PIXEL.length } },
      { minScore: 0, maxBytes: 1 },
      { resize: { width: 1, height: 1 } },
      { resize: { width: MAX_SIDE, height: MAX_SIDE } },
      { minScore: 100, maxBytes: most },
      {
        quality: 100,
        maxBytes: most,
        concurrency: most,
        limits: { maxPixels: MAX_SIDE ** 2, maxInputBytes: most, maxFrames: 99_999 },
      },
    ]) {
      await pixrace.optimize(PIXEL, options)
    }
  })
})
