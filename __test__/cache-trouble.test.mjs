// Shows that no trouble with the cache fails or holds up a build: a folder that cannot be used, a storage that fails,
// hangs or gives back something else. And that every wrong option is refused.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStorage } from 'unstorage'
import { openCache } from '../esm/cache/index.js'
import { encoded, keyOf } from './support/cache.mjs'

const root = fs.mkdtempSync(join(tmpdir(), 'pixrace-cache-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const folder = () => fs.mkdtempSync(join(root, 'folder-'))
const pathOf = (dir, key) => join(dir, key.slice(0, 2), key)

describe('trouble', () => {
  /** Whether nothing is found or kept, no call throws, and what is noted. */
  async function assertUseless(cache, key) {
    assert.equal(await cache.get(key), null)
    await cache.set(key, encoded(1))
    assert.equal(await cache.get(key), null)
    await cache.prune()
    await cache.close()
    return cache.failures
  }

  it('a file where the folder should be is noted once', async () => {
    const file = join(folder(), 'taken')
    fs.writeFileSync(file, '')
    for (const dir of [file, join(file, 'below')]) {
      const failures = await assertUseless(openCache({ dir }, root), await keyOf(1))
      assert.equal(failures.length, 1)
      assert.match(failures[0], /^The cache cannot be read: .*\.$/)
    }
  })

  it('what cannot be written is noted and leaves no temporary file', async () => {
    const dir = folder()
    const key = await keyOf(1)
    // A folder in the place of the entry: the rename fails, as root too.
    fs.mkdirSync(join(pathOf(dir, key), 'inner'), { recursive: true })
    const cache = openCache({ dir }, root)
    await cache.set(key, encoded(1))
    assert.match(cache.failures[0], /^The cache cannot be written: /)
    assert.deepEqual(fs.readdirSync(join(dir, key.slice(0, 2))), [key])
  })

  /** A storage of which every call does the same. */
  const storageOf = call => {
    const driver = { getKeys: call, hasItem: call, getItem: call, setItem: call, removeItem: call, dispose: call }
    return createStorage({ driver })
  }

  it('a storage that never answers is given up soon', async () => {
    let calls = 0
    const storage = storageOf(() => {
      calls++
      return new Promise(() => {})
    })
    const cache = openCache({ storage }, root, { timeoutMs: 120, patienceMs: 360 })
    const key = await keyOf(1)
    const started = performance.now()
    for (let round = 0; round < 50; round++) {
      assert.equal(await cache.get(key), null)
      await cache.set(key, encoded(1))
    }
    assert.ok(performance.now() - started < 3000)
    assert.equal(calls, 3)
    assert.deepEqual(cache.failures, [
      'The cache cannot be read: no answer within 120 ms.',
      'The cache fails too slowly and is not used any more.',
    ])
    await cache.close()
  })

  it('a storage that fails, by rejecting, throwing or late, is a miss', async () => {
    const calls = [
      () => Promise.reject(new Error('gone')),
      () => {
        throw new Error('gone')
      },
      async () => {
        await sleep(150)
        throw new Error('gone')
      },
    ]
    for (const call of calls) {
      const failures = await assertUseless(openCache({ storage: storageOf(call) }, root, { timeoutMs: 110 }), 'key')
      assert.equal(failures.length, 1)
    }
    // A late rejection would end the process here if nobody handled it.
    await sleep(100)
  })

  it('failing at once costs nothing: the storage is asked again', async () => {
    let calls = 0
    const storage = storageOf(async () => {
      calls++
      throw new Error('gone')
    })
    const cache = openCache({ storage }, root, { patienceMs: 1 })
    for (let round = 0; round < 20; round++) await cache.get('key')
    assert.equal(calls, 20)
  })

  it('a storage without raw values and one that gives other types work', async () => {
    const items = new Map()
    const driver = {
      getKeys: () => [...items.keys()],
      hasItem: key => items.has(key),
      getItem: key => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
      removeItem: key => void items.delete(key),
    }
    const cache = openCache({ storage: createStorage({ driver }) }, root)
    const key = await keyOf(1)
    await cache.set(key, encoded(1))
    assert.deepEqual([...items.keys()], [`pixrace:${key}`])
    assert.deepEqual(await cache.get(key), encoded(1))
    for (const wrong of ['', 'text', 'base64:AAAA', 7, true, {}, []]) {
      items.set(`pixrace:${key}`, wrong)
      assert.equal(await cache.get(key), null)
      assert.equal(items.size, 0)
    }
    await cache.set(key, encoded(1))
    const bytes = Buffer.from(items.get(`pixrace:${key}`).slice('base64:'.length), 'base64')
    const buffers = { ...driver, getItemRaw: () => new Uint8Array(bytes).buffer }
    assert.deepEqual(await openCache({ storage: createStorage({ driver: buffers }) }, root).get(key), encoded(1))
    assert.deepEqual(cache.failures, [])
  })
})

describe('options', () => {
  const storage = createStorage()
  const WRONG = [
    ['cache', null],
    ['cache', 'yes'],
    ['cache', 1],
    ['cache.dir', { dir: '' }],
    ['cache.dir', { dir: 7 }],
    ['cache.dir', { dir: null }],
    ['cache.maxBytes', { maxBytes: -1 }],
    ['cache.maxBytes', { maxBytes: 1.5 }],
    ['cache.maxBytes', { maxBytes: '1' }],
    ['cache.maxBytes', { maxBytes: Number.NaN }],
    ['cache.maxBytes', { maxBytes: Number.POSITIVE_INFINITY }],
    ['cache.storage', { storage: {} }],
    ['cache.storage', { storage: null }],
    ['cache.storage', { storage: 'redis' }],
    ['cache.dir', { dir: 'a', storage }],
    ['cache.maxBytes', { storage, maxBytes: 1 }],
    ['cache.folder', { folder: 'a' }],
    ['cache.toString', { toString: 'a' }],
  ]
  for (const [option, value] of WRONG) {
    const shown = JSON.stringify(value, (_, item) => {
      return typeof item === 'number' ? String(item) : item === storage ? 'a storage' : item
    })
    it(`${shown} is refused as ${option}`, () => {
      assert.throws(
        () => openCache(value, root),
        error => {
          assert.ok(error instanceof Error)
          assert.equal(error.code, 'ERR_PIXRACE_INVALID_OPTION')
          assert.equal(error.option, option)
          assert.equal(typeof error.expected, 'string')
          const received = option === 'cache' ? value : value[option.slice('cache.'.length)]
          assert.equal(error.received, received?.constructor === Object ? 'Object' : received)
          assert.ok(error.message.includes(`\`${option}\``))
          return true
        },
      )
    })
  }

  it('a client in the place of a storage is refused without a word of what is in it', () => {
    class Redis {
      options = { password: 'secret', self: this }
    }
    for (const value of [{ storage: new Redis() }, { redis: new Redis() }]) {
      assert.throws(
        () => openCache(value, root),
        ({ code, received, message }) =>
          code === 'ERR_PIXRACE_INVALID_OPTION' && received === 'Redis' && !message.includes('secret'),
      )
    }
    for (const value of [[], new Map(), 7n, () => {}]) {
      assert.throws(() => openCache(value, root), { code: 'ERR_PIXRACE_INVALID_OPTION', option: 'cache' })
    }
  })

  it('undefined is as if left out', () => {
    for (const value of [{ dir: undefined, storage }, { storage: undefined, maxBytes: 0 }, { maxBytes: undefined }]) {
      assert.ok(openCache(value, root))
    }
  })
})
