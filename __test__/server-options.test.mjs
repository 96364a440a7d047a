// Shows that every option of the image handler is checked when it is made, the engine's and the cache's too, and that what
// was wrong is named.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createImageHandler, toNodeHandler } from '../esm/server/index.js'
import { resolveServerOptions } from '../esm/server/options.js'

const NOT_BOOLEANS = ['true', 1, 0, null, {}, []]
const NOT_FUNCTIONS = ['f', 1, null, {}, [], true]
const notFrom = least => [
  least - 1,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '1',
  null,
  {},
  [],
  true,
  7n,
  2 ** 53,
]
const HOST = { hostname: 'a.test' }

// Option → values that it takes, and values that it does not.
const VALUES = {
  roots: [
    ['public', './a', '/a', { '/': 'a' }, { '/a': 'b', '/c': 'd' }],
    ['', 7, null, true, [], ['a'], {}, { '/': '' }, { '/': 7 }, { '/': null }],
  ],
  remotePatterns: [
    [
      [],
      [HOST],
      [{ ...HOST, protocol: 'https', port: '', pathname: '/**', search: '' }],
      [{ ...HOST, port: undefined }],
    ],
    [
      ...[HOST, 'a.test', null, 7, ['a.test'], [null], [[]], [{}], [{ hostname: '' }], [{ hostname: 7 }], [/a/]],
      ...[[{ ...HOST, protocol: 'ftp' }], [{ ...HOST, protocol: 'https:' }], [{ ...HOST, port: 80 }]],
      ...[[{ ...HOST, pathname: /a/ }], [{ ...HOST, search: null }], [{ ...HOST, host: 'b' }], [HOST, {}]],
    ],
  ],
  localPatterns: [
    [
      [],
      [{}],
      [{ pathname: '/a/**' }],
      [{ pathname: '/**', search: '' }, { search: '?v=1' }],
      [{ pathname: undefined }],
    ],
    [
      ...[{}, '/a/**', null, 7, ['/a/**'], [null], [[]], [/a/], [{ pathname: /a/ }], [{ pathname: 7 }]],
      ...[[{ search: null }], [{ hostname: 'a.test' }], [{ path: '/a' }]],
    ],
  ],
  allowPrivateNetwork: [[true, false], NOT_BOOLEANS],
  resolver: [[async () => []], NOT_FUNCTIONS],
  formats: [
    [['jpeg'], ['png'], ['avif', 'webp', 'jpeg', 'png']],
    [[], ['avif'], ['avif', 'webp'], ['gif', 'png'], ['png', 'png'], 'png', null, {}, ['constructor'], [null]],
  ],
  widths: [
    [[1], [65_535, 16]],
    [[], [0], [65_536], [16, 16], [1.5], ['16'], 16, null, {}, [null], [Number.NaN]],
  ],
  qualities: [
    [[1], [100, 75]],
    [[], [0], [101], [75, 75], [7.5], ['75'], 75, null, {}],
  ],
  maxAge: [[0, 1, 31_536_000], notFrom(0)],
  verify: [[true, false], NOT_BOOLEANS],
  refine: [[true, false], NOT_BOOLEANS],
  memory: [[0, 1], notFrom(0)],
  concurrency: [[1, 64], notFrom(1)],
  maxQueue: [[0, 1], notFrom(0)],
  maxSourceBytes: [[1, 10_000], notFrom(1)],
  fetchTimeoutMs: [
    [1, 2 ** 31 - 1],
    [...notFrom(1), 2 ** 31],
  ],
  clientHints: [[true, false], NOT_BOOLEANS],
  serverTiming: [[true, false], NOT_BOOLEANS],
  onRequest: [[() => {}], NOT_FUNCTIONS],
  effort: [
    ['fast', 'balanced', 'best'],
    ['', 'slow', 1, null, {}],
  ],
  flatten: [['#ffffff'], ['white', '#fff', 7, null]],
  metadata: [
    ['strip', 'keep'],
    ['all', true, null],
  ],
  colorProfile: [
    ['srgb', 'keep'],
    ['p3', true, null],
  ],
}

const refuses = (options, name) =>
  assert.throws(
    () => createImageHandler(options),
    error => {
      assert.ok(error instanceof Error)
      assert.equal(error.code, 'ERR_PIXRACE_INVALID_OPTION')
      assert.equal(error.option, name)
      assert.equal(typeof error.expected, 'string')
      assert.ok(error.message.includes(`\`${name}\``), error.message)
      return true
    },
    `${name}: ${String(Object.values(options ?? {})[0])}`,
  )

describe('options of the image handler', () => {
  for (const [name, [valid, invalid]] of Object.entries(VALUES)) {
    it(`${name} takes what it is for and names itself otherwise`, async () => {
      for (const value of [...valid, undefined]) await createImageHandler({ cache: false, [name]: value }).close()
      for (const value of invalid) refuses({ cache: false, [name]: value }, name)
    })
  }

  it('parts of options are named', () => {
    refuses({ limits: { maxPixels: 0 } }, 'limits.maxPixels')
    refuses({ limits: { maxPixel: 1 } }, 'limits.maxPixel')
    refuses({ limits: 7 }, 'limits')
    refuses({ cache: { dir: '' } }, 'cache.dir')
    refuses({ cache: { storage: {} } }, 'cache.storage')
    refuses({ cache: 'yes' }, 'cache')
  })

  it('what is no option is refused, names of every object and options of the plugins too', () => {
    const names = [
      'root',
      'Roots',
      'toString',
      'constructor',
      'minScore',
      'quality',
      'maxBytes',
      'signal',
      'dangerouslyAllowSVG',
    ]
    for (const name of names) refuses({ [name]: 1 }, name)
    refuses(JSON.parse('{"__proto__": 1}'), '__proto__')
    for (const options of [null, 7, 'public', [], true]) refuses(options, 'options')
  })

  it('without any, there are the defaults', () => {
    const { resolver, roots, widths, ...others } = resolveServerOptions()
    assert.equal(typeof resolver, 'function')
    assert.deepEqual(roots, [{ prefix: '/', folder: `${process.cwd()}/public` }])
    assert.equal(widths.length, 16)
    assert.deepEqual(others, {
      ...{
        engine: { verify: false },
        remotePatterns: [],
        localPatterns: [{ pathname: '**' }],
        allowPrivateNetwork: false,
        formats: ['avif', 'webp', 'jpeg', 'png'],
      },
      ...{ qualities: [75], maxAge: 14_400, refine: false, cache: true, memory: 67_108_864, concurrency: null },
      ...{ maxQueue: 256, maxSourceBytes: 52_428_800, fetchTimeoutMs: 7000, clientHints: false, serverTiming: false },
      onRequest: null,
    })
  })

  it('toNodeHandler takes nothing but an image handler', () => {
    for (const other of [async () => new Response(), null, undefined, {}]) {
      assert.throws(() => toNodeHandler(other), TypeError)
    }
  })
})
