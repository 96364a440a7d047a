// Shows that the cache works through a real Redis, as several machines share it: entries written by one are read by the
// other, a damaged value is nothing, and a server that goes away costs a build a moment and a warning.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { createStorage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { openCache } from '../esm/cache/index.js'
import { encoded, keyOf } from './support/cache.mjs'
import { startChild } from './support/child.mjs'
import { freePort, startRedis as startServer } from './support/redis.mjs'

const root = fs.mkdtempSync(join(tmpdir(), 'pixrace-redis-'))
/** Many times what the process takes; one that is held up would never end. */
const ENDS_WITHIN_MS = 20_000
const servers = []
const opened = []
afterEach(async () => {
  for (const { cache, client } of opened.splice(0)) {
    await cache.close()
    // Should closing not do it, this process would not end.
    client.disconnect()
  }
})
after(() => {
  for (const server of servers) server.kill('SIGKILL')
  fs.rmSync(root, { recursive: true, force: true })
})

/** A Redis that ends with the tests. */
async function startRedis() {
  const redis = await startServer(root)
  servers.push(redis.server)
  return redis
}

/** A cache as a build has it, with a connection of its own. */
function connect(port, limits) {
  const driver = redisDriver({ host: '127.0.0.1', port })
  const storage = createStorage({ driver })
  // Without a listener ioredis writes lost connections to the console.
  const client = driver.getInstance().on('error', () => {})
  const cache = openCache({ storage }, root, limits)
  opened.push({ cache, client })
  return { cache, client }
}

const missing = spawnSync('redis-server', ['--version']).status !== 0
const skip = missing && 'there is no redis-server; as root on Debian `npm test` installs it'

describe('a cache in Redis', { skip }, () => {
  it('is shared: what one wrote the other reads, byte for byte', async () => {
    const { port } = await startRedis()
    const [one, other] = [connect(port), connect(port)]
    const key = await keyOf(1)
    const value = encoded(1, [300_000, 0, 5000])
    assert.equal(await other.cache.get(key), null)
    await one.cache.set(key, value)
    assert.deepEqual(await other.cache.get(key), value)
    // Redis's driver has no raw values: unstorage makes text of them.
    assert.match(await other.client.get(`pixrace:${key}`), /^base64:/)
    await other.cache.prune()
    assert.deepEqual(await one.cache.get(key), value)
    assert.deepEqual([...one.cache.failures, ...other.cache.failures], [])
  })

  it('takes a damaged value for none and removes it', async () => {
    const { port } = await startRedis()
    const { cache, client } = connect(port)
    const key = await keyOf(1)
    await cache.set(key, encoded(1))
    const good = await client.get(`pixrace:${key}`)
    const middle = good.length >> 1
    const flipped = `${good.slice(0, middle)}${good[middle] === 'A' ? 'B' : 'A'}${good.slice(middle + 1)}`
    for (const bad of [flipped, good.slice(0, middle), '', 'text', 'base64:', '{"a":1}', good.slice(7)]) {
      await client.set(`pixrace:${key}`, bad)
      assert.equal(await cache.get(key), null, bad.slice(0, 40))
      assert.equal(await client.exists(`pixrace:${key}`), 0)
    }
    assert.deepEqual(cache.failures, [])
    // A value of another type is refused by Redis itself.
    await client.rpush(`pixrace:${key}`, 'item')
    assert.equal(await cache.get(key), null)
    assert.match(cache.failures[0], /WRONGTYPE/)
  })

  for (const [title, signal] of [
    ['is stopped', 'SIGKILL'],
    ['hangs', 'SIGSTOP'],
  ]) {
    it(`costs a moment and a warning when the server ${title}`, async () => {
      const { server, port } = await startRedis()
      const { cache } = connect(port, { timeoutMs: 200, patienceMs: 600 })
      const key = await keyOf(1)
      await cache.set(key, encoded(1))
      assert.deepEqual(await cache.get(key), encoded(1))
      server.kill(signal)
      const started = performance.now()
      for (let round = 0; round < 100; round++) {
        assert.equal(await cache.get(key), null)
        await cache.set(key, encoded(1))
      }
      assert.ok(performance.now() - started < 5000)
      assert.match(cache.failures[0], /^The cache cannot be /)
      assert.equal(cache.failures.length, 2)
      await cache.close()
    })
  }

  it('lets the process end once it is closed, with and without a server', async () => {
    const { port } = await startRedis()
    for (const at of [port, await freePort()]) {
      const { child, ended } = startChild('cache-redis-child.mjs', { args: [at] })
      const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS)
      const { code, errors } = await ended
      clearTimeout(timer)
      assert.equal(code, 0, errors)
    }
  })
})
