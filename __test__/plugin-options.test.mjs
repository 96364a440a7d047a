// Shows that every option of the plugins is checked before anything is done, that what was wrong is named, and which files
// patterns choose.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { optionError } from '../esm/core/checks.js'
import { createFilter, resolveOptions } from '../esm/core/options.js'
import { Session } from '../esm/core/session.js'

const DEFAULTS = {
  engine: {},
  convert: null,
  html: false,
  publicDir: true,
  dev: false,
  fileName: null,
  cache: true,
  failOn: 'never',
  budget: {},
  report: true,
  manifest: null,
  include: [],
  exclude: [],
}

const NOT_BOOLEANS = ['true', 1, 0, null, {}, [], 7n]
const NOT_PATTERNS = ['', 7, null, true, {}, [''], [7], [['a']], [null], () => true, 7n]
const NOT_PATHS = ['', '/a', '\\a', '../a', 'a/../b', 'a\\..\\b', '..', 'C:\\a', 'c:/a', 7, null, {}, []]

// Option → values that it takes, and values that it does not.
const VALUES = {
  include: [['**/*.png', 'a', /a/g, ['a', /b/], []], NOT_PATTERNS],
  exclude: [['**/*.png', 'a', /a/g, ['a', /b/], []], NOT_PATTERNS],
  convert: [
    [true, false, ['avif'], ['png', 'jpeg', 'webp', 'avif']],
    ['avif', [], ['gif'], ['avif', 'avif'], ['jpg'], [['avif']], 1, null, {}, 7n, ['constructor']],
  ],
  html: [
    [false, 'picture'],
    [true, '', 'Picture', null, 0, {}, []],
  ],
  publicDir: [[true, false], NOT_BOOLEANS],
  dev: [[true, false], NOT_BOOLEANS],
  report: [[true, false], NOT_BOOLEANS],
  fileName: [
    ['[name].[ext]', 'img/[name]-[hash].[ext]', '[hash:4].[ext]', '[hash:43].[ext]', 'a..b/[ext]'],
    [
      ...[...NOT_PATHS, '[name]', '[name].png', '[name][extname]', '[hash:3].[ext]', '[hash:44].[ext]', '[path].[ext]'],
      ...['[hash:x].[ext]', '[].[ext]', '/[name].[ext]', '../[name].[ext]', '[contenthash].[ext]', true],
    ],
  ],
  failOn: [
    ['error', 'warning', 'never'],
    ['', 'always', true, null, 0, ['error'], 'Error'],
  ],
  budget: [
    [{}, { maxBytesPerImage: 1 }, { minSaving: 0 }, { minSaving: 1, maxBytesPerImage: 9 }],
    [null, 7, 'a', [], true],
  ],
  manifest: [[true, false, 'a.json', 'a/b.json'], NOT_PATHS],
}

const BUDGET_VALUES = {
  maxBytesPerImage: [
    [1, 1e9],
    [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 7n],
  ],
  minSaving: [
    [0, 0.5, 1],
    [-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY, '0.5', null, true],
  ],
}

/** Shows that `options` are refused for `option`, and that the message says so. */
function assertRefused(options, option, received) {
  assert.throws(
    () => resolveOptions(options),
    error => {
      assert.ok(error instanceof Error)
      assert.equal(error.code, 'ERR_PIXRACE_INVALID_OPTION')
      assert.equal(error.option, option)
      assert.equal(error.received, received)
      assert.ok(error.expected.length > 0)
      assert.ok(error.message.startsWith(`Invalid option \`${option}\`: expected ${error.expected}, received `))
      return true
    },
    `${option}`,
  )
}

describe('options', () => {
  it('have defaults', () => {
    for (const options of [undefined, {}, { convert: undefined, budget: undefined, minScore: undefined }])
      assert.deepEqual(resolveOptions(options), DEFAULTS)
  })

  it('are taken as they are written', () => {
    for (const [option, [valid]] of Object.entries(VALUES)) {
      for (const value of valid) {
        const given = {
          convert: { true: ['avif', 'webp', 'jpeg', 'png'], false: null },
          manifest: { true: 'pixrace.json', false: null },
        }
        const expected = given[option]?.[value] === undefined ? value : given[option][value]
        assert.deepEqual(resolveOptions({ [option]: value }), { ...DEFAULTS, [option]: expected })
      }
      assert.deepEqual(resolveOptions({ [option]: undefined }), DEFAULTS)
    }
  })

  it('of a wrong type or out of range are refused by name', () => {
    for (const [option, [, wrong]] of Object.entries(VALUES)) {
      for (const value of wrong) assertRefused({ [option]: value }, option, value)
    }
  })

  it('of the budget are checked one by one', () => {
    for (const [key, [valid, wrong]] of Object.entries(BUDGET_VALUES)) {
      for (const value of valid) assert.deepEqual(resolveOptions({ budget: { [key]: value } }).budget, { [key]: value })
      for (const value of wrong) assertRefused({ budget: { [key]: value } }, `budget.${key}`, value)
      assert.deepEqual(resolveOptions({ budget: { [key]: undefined } }).budget, { [key]: undefined })
    }
    assertRefused({ budget: { maxBytes: 1 } }, 'budget.maxBytes', 1)
  })

  it('that are unknown are refused, with the names of those that are known', () => {
    for (const key of ['formats', 'Include', 'strategy', 'concurrency', 'constructor', 'toString', '__proto__x', ''])
      assertRefused({ [key]: 1 }, key, 1)
    assertRefused(JSON.parse('{"__proto__": 1}'), '__proto__', 1)
    const { expected } = caught(() => resolveOptions({ nope: 1 }))
    for (const known of [...Object.keys(VALUES), 'cache', 'minScore', 'limits'])
      assert.ok(expected.includes(known), known)
  })

  it('have to be an object', () => {
    for (const value of [null, 'a', 7, true, () => {}]) assertRefused(value, 'options', value)
  })

  it('of the engine are handed to it, and it checks them when a build begins', async () => {
    const engine = { minScore: 80, effort: 'fast', limits: { maxPixels: 9 }, flatten: '#ffffff', metadata: 'keep' }
    assert.deepEqual(resolveOptions({ ...engine, convert: true }).engine, engine)
    const session = options => new Session({ cache: false, report: false, ...options }, process.cwd())
    await session({ minScore: 70 }).begin()
    for (const [option, value] of Object.entries({ minScore: 101, effort: 'slow', quality: 0, lossless: 1 })) {
      const begin = session({ [option]: value }).begin()
      await assert.rejects(begin, { code: 'ERR_PIXRACE_INVALID_OPTION', option })
    }
    await assert.rejects(session({ minScore: 70, quality: 80 }).begin(), { code: 'ERR_PIXRACE_INVALID_OPTION' })
  })

  it('of the documentation are those that are known', () => {
    const docs = readFileSync(new URL('../docs/plugins.md', import.meta.url), 'utf8')
    const table = docs.slice(docs.indexOf('| option | type, default |'), docs.indexOf('An unknown option'))
    const rows = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, names]) => names.replaceAll('`', '').split(', '))
    const { expected } = caught(() => resolveOptions({ nope: 1 }))
    assert.deepEqual(rows.sort(), expected.replace('one of ', '').split(', ').sort())
  })
})

function caught(task) {
  try {
    task()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('an error', () => {
  it('shows any value', () => {
    const loop = {}
    loop.self = loop
    for (const [value, shown] of [
      ...[
        ['a', "'a'"],
        [7, '7'],
        [7n, '7n'],
        [Number.NaN, 'NaN'],
        [null, 'null'],
        [undefined, 'undefined'],
      ],
      ...[
        [/a/g, '/a/g'],
        [Symbol('x'), 'Symbol(x)'],
        [() => 1, '[Function (anonymous)]'],
      ],
      ...[
        [[1, 'b'], "[ 1, 'b' ]"],
        [{ a: 1 }, '{ a: 1 }'],
        [loop, '<ref *1> { self: [Circular *1] }'],
      ],
    ]) {
      assert.equal(optionError('a', 'b', value).message, `Invalid option \`a\`: expected b, received ${shown}.`)
    }
  })
})

describe('a filter', () => {
  const PATHS = ['a.png', 'src/b.JPG', 'src/.hidden/c.webp', 'public/d.gif', 'src/e.avif', 'x/y/f.jpeg', 'a.txt', 'png']
  const IMAGES = PATHS.slice(0, 6)
  const chosen = options => PATHS.filter(createFilter(resolveOptions(options)).isImage)

  it('takes every image, whatever else is there', () => {
    assert.deepEqual(chosen({}), IMAGES)
    const { isImage, isOther } = createFilter(resolveOptions())
    for (const name of ['a.jpe', 'a.jfif', 'a.apng', 'A.PNG', '/abs/a.png'])
      assert.ok(isImage(name) && !isOther(name), name)
    for (const name of ['a.svg', 'a.ico', 'a.bmp', 'a.tif', 'a.tiff', 'a.jxl', 'a.heic', 'a.HEIF'])
      assert.ok(isOther(name) && !isImage(name), name)
    for (const name of ['a.png.txt', 'apng', '.svgz', 'a.css']) assert.ok(!isOther(name) && !isImage(name), name)
  })

  it('includes by globs below the root, by expressions, and by several', () => {
    for (const [include, expected] of [
      ['src/**', ['src/b.JPG', 'src/.hidden/c.webp', 'src/e.avif']],
      ['./src/*', ['src/b.JPG', 'src/e.avif']],
      ['/src/*.avif', ['src/e.avif']],
      ['*.png', ['a.png']],
      ['**/*.{png,gif}', ['a.png', 'public/d.gif']],
      [/\.(?:png|gif)$/, ['a.png', 'public/d.gif']],
      [
        ['*.png', /\.gif$/],
        ['a.png', 'public/d.gif'],
      ],
      ['**', IMAGES],
      ['nothing', []],
      [[], IMAGES],
      ['!src/**', ['a.png', 'public/d.gif', 'x/y/f.jpeg']],
    ]) {
      assert.deepEqual(chosen({ include }), expected, String(include))
      const rest = IMAGES.filter(path => !expected.includes(path))
      if (String(include) !== '') assert.deepEqual(chosen({ exclude: include }), rest, `not ${include}`)
    }
  })

  it('excludes what it includes', () => {
    assert.deepEqual(chosen({ include: 'src/**', exclude: ['**/*.avif', /hidden/] }), ['src/b.JPG'])
  })

  it('gives the same answer every time, to global and sticky expressions too', () => {
    for (const pattern of [/src/g, /^src/y, /src/gy]) {
      const { isImage } = createFilter(resolveOptions({ include: pattern }))
      for (let run = 0; run < 4; run++) assert.equal(isImage('src/e.avif'), true)
      for (let run = 0; run < 4; run++) assert.equal(isImage('a.png'), false)
      assert.equal(pattern.lastIndex, 0)
    }
  })
})
