// Shows that the cache of the build layer gives back what was kept or nothing: every damaged entry is noticed and
// removed, and many processes may use one folder and may die at any moment.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cacheKey, contentHash, openCache } from '../esm/cache/index.js'
import { encoded, keyOf } from './support/cache.mjs'
import { startChild } from './support/child.mjs'

const root = fs.mkdtempSync(join(tmpdir(), 'pixrace-cache-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))

const HOUR = 3600
const KILLS = 30
const PROCESSES = 8

const folder = () => fs.mkdtempSync(join(root, 'folder-'))
const pathOf = (dir, key) => join(dir, key.slice(0, 2), key)
const isEntry = name => /^[0-9a-f]{64}$/.test(name)

/** Names of all files of a cache folder. */
function filesOf(dir) {
  return fs.readdirSync(dir).flatMap(name => fs.readdirSync(join(dir, name)))
}

/** A cache with one entry, and that entry's file. */
async function filled(seed = 1, value = encoded(seed)) {
  const dir = folder()
  const cache = openCache({ dir }, root)
  const key = await keyOf(seed)
  await cache.set(key, value)
  return { cache, dir, key, value, file: pathOf(dir, key) }
}

/** Sets the time of a file's last use. */
function age(file, seconds) {
  const then = Date.now() / 1000 - seconds
  fs.utimesSync(file, then, then)
}

describe('entries', () => {
  it('come back whole, to another cache on the folder too', async () => {
    const { cache, dir, key, value } = await filled()
    assert.deepEqual(await cache.get(key), value)
    assert.deepEqual(await openCache({ dir }, root).get(key), value)
    assert.equal(await cache.get(await keyOf(2)), null)
    assert.deepEqual(cache.failures, [])
    assert.deepEqual(filesOf(dir), [key])
  })

  it('may have no placeholder, no warnings and no images, and are replaced', async () => {
    const { cache, key } = await filled()
    const empty = { ...encoded(1), images: [], placeholder: null, warnings: [] }
    await cache.set(key, empty)
    assert.deepEqual(await cache.get(key), empty)
  })

  it('hold views of one buffer and no file of a candidate', async () => {
    const value = encoded(3)
    for (const { candidates } of value.images) candidates[0].data = Buffer.alloc(1_000_000)
    const { cache, key, file } = await filled(3, value)
    assert.ok(fs.statSync(file).size < 10_000)
    const { images } = await cache.get(key)
    assert.equal(images[0].data.buffer, images[2].data.buffer)
    assert.deepEqual(images, encoded(3).images)
  })

  it('are hits whatever the date of their file', async () => {
    const { cache, key, value, file } = await filled()
    age(file, 1000 * HOUR)
    assert.deepEqual(await cache.get(key), value)
    assert.ok(Date.now() - fs.statSync(file).mtimeMs < 60_000, 'a use is not noted')
    age(file, -HOUR)
    assert.deepEqual(await cache.get(key), value)
  })

  it('are below node_modules/.cache by default', async () => {
    const project = folder()
    const key = await keyOf(1)
    for (const options of [undefined, true, {}, { dir: 'node_modules/.cache/pixrace' }]) {
      const cache = openCache(options, project)
      if (options === undefined) await cache.set(key, encoded(1))
      assert.deepEqual(await cache.get(key), encoded(1))
    }
    assert.ok(fs.existsSync(pathOf(join(project, 'node_modules/.cache/pixrace'), key)))
    assert.equal(openCache(false, project), null)
  })
})

describe('keys', () => {
  const INPUT = Buffer.from('an image')
  const JOB = { formats: ['avif', 'webp'], quality: { avif: 50, webp: 60 }, lossless: false }

  it('do not depend on the order of options, nor on what is undefined', async () => {
    const key = await cacheKey(INPUT, JOB, 'v1')
    assert.match(key, /^[0-9a-f]{64}$/)
    const turned = { lossless: false, maxBytes: undefined, quality: { webp: 60, avif: 50 }, formats: ['avif', 'webp'] }
    assert.equal(await cacheKey(new Uint8Array(INPUT), turned, 'v1'), key)
  })

  it('change with each bit of the input, each option and the fingerprint', async () => {
    const keys = [await cacheKey(INPUT, JOB, 'v1'), await cacheKey(INPUT, JOB, 'v2')]
    for (let bit = 0; bit < INPUT.length * 8; bit++) {
      const flipped = Buffer.from(INPUT)
      flipped[bit >> 3] ^= 1 << (bit & 7)
      keys.push(await cacheKey(flipped, JOB, 'v1'))
    }
    const changes = [
      ...[{ formats: ['webp', 'avif'] }, { formats: ['avif'] }, { formats: 'avif,webp' }, { lossless: true }],
      ...[{ lossless: 'false' }, { lossless: null }, { quality: 50 }, { quality: { avif: 50, webp: 61 } }, { more: 0 }],
    ]
    for (const change of changes) keys.push(await cacheKey(INPUT, { ...JOB, ...change }, 'v1'))
    assert.equal(new Set(keys).size, keys.length)
  })

  it('do not let one field run into the next', async () => {
    const jobs = ['ab', 'a', '"a"', 'a","b', { a: '1,"b":2' }, { a: '1', b: 2 }, [[], []], [[[]]]]
    const keys = await Promise.all(jobs.flatMap(job => ['', 'b', '"b"'].map(print => cacheKey(INPUT, job, print))))
    assert.equal(new Set(keys).size, keys.length)
  })

  it('are not made of what JSON does not tell apart', async () => {
    for (const value of [Number.NaN, () => {}, new Map(), /a/, Buffer.from('a'), AbortSignal.abort(), 1n]) {
      await assert.rejects(cacheKey(INPUT, { value }, 'v1'), TypeError)
    }
  })

  it('contentHash is SHA-256 in the letters of file names', async () => {
    assert.equal(await contentHash(Buffer.from('abc')), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  })
})

describe('a damaged entry is nothing and is removed', () => {
  /** Writes the bytes over the entry's file and expects a miss; then the entry can be made again. */
  async function assertMiss({ cache, file, key, value }, bytes, what) {
    fs.writeFileSync(file, bytes)
    assert.equal(await cache.get(key), null, what)
    assert.ok(!fs.existsSync(file), `${what}: the file is still there`)
    await cache.set(key, value)
    assert.deepEqual(await cache.get(key), value)
  }

  it('with one byte flipped', async () => {
    const entry = await filled()
    const good = fs.readFileSync(entry.file)
    const spread = Array.from({ length: 60 }, (_, index) => Math.floor((index * good.length) / 60))
    const ends = Array.from({ length: 20 }, (_, index) => [index, good.length - 1 - index]).flat()
    for (const position of new Set([...spread, ...ends])) {
      const bad = Buffer.from(good)
      bad[position] ^= 1 << (position % 8)
      await assertMiss(entry, bad, `byte ${position}`)
    }
    assert.deepEqual(entry.cache.failures, [])
  })

  it('cut off or with more behind it', async () => {
    const entry = await filled()
    const good = fs.readFileSync(entry.file)
    for (const length of [
      0,
      1,
      7,
      8,
      15,
      16,
      17,
      47,
      48,
      49,
      500,
      good.length - 33,
      good.length - 32,
      good.length - 1,
    ]) {
      await assertMiss(entry, good.subarray(0, length), `${length} bytes`)
    }
    await assertMiss(entry, Buffer.concat([good, Buffer.alloc(1)]), 'one byte more')
    await assertMiss(entry, Buffer.concat([good, good]), 'twice')
  })

  it('of another key', async () => {
    const entry = await filled(1)
    const other = await filled(2)
    await assertMiss(entry, fs.readFileSync(other.file), 'the file of another entry')
  })

  it('with a correct checksum over other lengths, another version or no JSON', async () => {
    const entry = await filled()
    const good = fs.readFileSync(entry.file)
    const headerEnd = 16 + good.readUInt32LE(12)
    const header = good.toString('utf8', 16, headerEnd)
    const images = good.subarray(headerEnd, -32)
    /** An entry's bytes, the checksum made anew. */
    const forge = (json, length = Buffer.byteLength(json), version = good.readUInt32LE(8)) => {
      const prefix = Buffer.from(good.subarray(0, 16))
      prefix.writeUInt32LE(version, 8)
      prefix.writeUInt32LE(length, 12)
      const body = Buffer.concat([prefix, Buffer.from(json), images])
      return Buffer.concat([body, createHash('sha256').update(body).digest()])
    }
    assert.deepEqual(forge(header), good)
    await assertMiss(entry, forge(header, undefined, 2), 'another version')
    for (const length of [0, 1, header.length - 1, good.length - 48, good.length - 47, 0xffffffff]) {
      await assertMiss(entry, forge(header, length), `a header of ${length} bytes`)
    }
    for (const bytes of ['899', '901', '-900', '900.5', '"900"', 'null', '1e30']) {
      await assertMiss(entry, forge(header.replace('"bytes":900}', `"bytes":${bytes}}`)), `an image of ${bytes} bytes`)
    }
    for (const json of ['', 'null', '[]', '7', '{}', header.slice(1)]) {
      await assertMiss(entry, forge(json), `the header ${json.slice(0, 10)}`)
    }
  })

  it('with a correct checksum over a header of another shape', async () => {
    const entry = await filled()
    const value = encoded(1)
    const [image] = value.images
    const wrong = [
      { ...value, input: null },
      { ...value, placeholder: 7 },
      { ...value, warnings: [null] },
      { ...value, images: [{ ...image, format: '../evil' }] },
      { ...value, images: [{ ...image, width: '1' }] },
      { ...value, images: [{ ...image, candidates: [{}] }] },
    ]
    for (const [index, bad] of wrong.entries()) {
      await entry.cache.set(entry.key, bad)
      assert.equal(await entry.cache.get(entry.key), null, `value ${index}`)
      assert.ok(!fs.existsSync(entry.file))
    }
  })
})

describe('many processes on one folder', () => {
  for (const what of ['strict', 'prune']) {
    it(`never see a wrong or partial entry (${what})`, async () => {
      const dir = folder()
      const args = [what, dir, 40]
      const children = Array.from({ length: PROCESSES }, () => startChild('cache-child.mjs', { args }))
      for (const { code, errors } of await Promise.all(children.map(child => child.ended))) {
        assert.equal(code, 0, errors)
      }
      assert.ok(filesOf(dir).every(isEntry), 'a temporary file was left')
    })
  }

  it(`${KILLS} writers that are killed leave only whole entries`, async () => {
    const dir = folder()
    for (let round = 0; round < KILLS; round++) {
      const { child, ended } = startChild('cache-child.mjs', { args: ['write', dir] })
      await new Promise(resolve => child.once('message', resolve))
      await sleep(5 + Math.random() * 40)
      child.kill('SIGKILL')
      assert.equal((await ended).signal, 'SIGKILL')
    }
    const entries = filesOf(dir).filter(isEntry)
    assert.ok(entries.length > 0)
    const cache = openCache({ dir }, root)
    for (const key of entries) assert.notEqual(await cache.get(key), null, key)
    const leftover = `${pathOf(dir, entries[0])}.5f4d.tmp`
    fs.writeFileSync(leftover, 'half')
    await cache.prune()
    assert.ok(fs.existsSync(leftover), 'its writer may be at work')
    for (const name of filesOf(dir).filter(name => !isEntry(name))) age(pathOf(dir, name), 2 * HOUR)
    await cache.prune()
    assert.deepEqual(filesOf(dir).sort(), entries.sort())
    assert.deepEqual(cache.failures, [])
  })
})

describe('pruning', () => {
  async function three(maxEntries) {
    const dir = folder()
    const keys = await Promise.all([1, 2, 3].map(keyOf))
    const cache = openCache({ dir }, root)
    for (const [index, key] of keys.entries()) {
      await cache.set(key, encoded(7))
      age(pathOf(dir, key), (10 - index) * HOUR)
    }
    const size = fs.statSync(pathOf(dir, keys[0])).size
    return { dir, keys, cache: openCache({ dir, maxBytes: Math.floor(size * maxEntries) }, root) }
  }

  it('removes the least recently used: what was read stays', async () => {
    const { dir, keys, cache } = await three(2)
    await cache.get(keys[0])
    await cache.prune()
    assert.deepEqual(filesOf(dir).sort(), [keys[0], keys[2]].sort())
  })

  it('removes no more than it has to, and with 0 everything', async () => {
    for (const [maxEntries, left] of [
      [3, 3],
      [2.9, 2],
      [1, 1],
      [0, 0],
    ]) {
      const { dir, cache } = await three(maxEntries)
      await cache.prune()
      assert.equal(filesOf(dir).length, left)
      assert.deepEqual(cache.failures, [])
    }
  })

  it('leaves alone what is not of the cache, and needs no folder', async () => {
    const { dir, cache } = await three(0)
    const others = [join(dir, 'README'), join(dir, 'ab', 'notes.txt'), join(dir, 'abc', 'x.tmp')]
    for (const file of others) {
      fs.mkdirSync(join(file, '..'), { recursive: true })
      fs.writeFileSync(file, 'mine')
      age(file, 5 * HOUR)
    }
    await cache.prune()
    assert.ok(others.every(file => fs.existsSync(file)))
    const none = openCache({ dir: join(dir, 'none') }, root)
    await none.prune()
    assert.deepEqual(none.failures, [])
  })
})
