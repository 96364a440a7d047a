// Shows how the image handler works: requests for the same share one encode, what nobody waits for is given up, the queue is
// bounded, `refine` and stale images answer at once, and finished images are those of the build layer's cache.

// Before anything that loads the engine.
import './support/engine.mjs'
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cacheKey } from '../esm/cache/index.js'
import { fingerprint } from '../esm/core/jobs.js'
import { calls, hold } from './support/engine.mjs'
import {
  askNode,
  askWeb,
  countingCache,
  folder,
  gauge,
  handlerOf,
  isIdle,
  makeSite,
  serve,
  targetOf,
  until,
} from './support/image-server.mjs'
import { startUpstream } from './support/upstream.mjs'

const { root } = makeSite()
/** So long an image counts as fresh without a look at its source. */
const FRESH_MS = 1000
const SMALL = '/small.jpg'
const JPEG = { accept: 'image/jpeg' }
const ask = (handler, url, width, headers = JPEG) => askWeb(handler, targetOf(url, width), { headers })
const handlerWith = options => handlerOf({ roots: root, ...options })

/** What the engine is asked for while `run` runs. */
async function callsOf(run) {
  const before = calls.length
  await run()
  return calls.slice(before)
}

describe('shared work', () => {
  it('fifty requests for the same at once are one encode, whatever way they say it', async () => {
    const cache = countingCache()
    const handler = handlerWith({ cache: { storage: cache.storage } })
    const server = await serve(handler)
    const open = hold()
    const made = await callsOf(async () => {
      const requests = Array.from({ length: 48 }, () => ask(handler, SMALL, 16))
      requests.push(askNode(server, targetOf('/small.jpg?v=2'), { headers: { accept: 'image/jpeg;q=0.5' } }))
      requests.push(ask(handler, '//small.jpg'.slice(1), 16, { accept: 'IMAGE/JPEG, text/html' }))
      await until(() => calls.length > 0, 'a call')
      await sleep(100)
      assert.equal(await gauge(handler, 'pixrace_images_in_flight'), 1)
      open()
      const answers = await Promise.all(requests)
      for (const { status, body } of answers) assert.deepEqual([status, body], [200, answers[0].body])
    })
    assert.deepEqual([made.length, cache.written], [1, 1])
    assert.ok(await isIdle(handler))
  })

  it('other widths, qualities and formats are other work', async () => {
    const handler = handlerWith({ qualities: [75, 50] })
    const made = await callsOf(async () => {
      await Promise.all([
        ...[ask(handler, SMALL, 16), ask(handler, SMALL, 32), ask(handler, SMALL, '16&q=50')],
        ask(handler, SMALL, 16, { accept: 'image/webp' }),
      ])
    })
    assert.equal(made.length, 4)
  })

  it('all widths above that of the source are one encode, because nothing is enlarged', async () => {
    const handler = handlerWith({ cache: { storage: countingCache().storage } })
    const made = await callsOf(async () => {
      const bodies = []
      for (const width of [1080, 1920, 3840]) bodies.push((await ask(handler, SMALL, width)).body)
      assert.deepEqual(bodies[1], bodies[0])
      assert.deepEqual(bodies[2], bodies[0])
    })
    assert.equal(made.length, 1)
  })

  it('a failure is told to all who wait, and not kept', async () => {
    const handler = handlerWith()
    const made = await callsOf(async () => {
      const answers = await Promise.all([1, 2, 3].map(() => ask(handler, '/corrupt.png', 16)))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [422, 422, 422],
      )
      assert.equal((await ask(handler, '/corrupt.png', 16)).status, 422)
    })
    assert.equal(made.length, 2)
  })

  it('of a fleet with one cache the second makes nothing, after a restart too', async () => {
    const cache = { dir: folder() }
    const first = handlerWith({ cache })
    const answer = await ask(first, SMALL, 32)
    assert.equal(answer.headers['x-pixrace-cache'], 'MADE')
    const made = await callsOf(async () => {
      const second = handlerWith({ cache })
      const again = await ask(second, SMALL, 32)
      assert.deepEqual(again.body, answer.body)
      assert.equal(again.headers['x-pixrace-cache'], 'CACHE')
      assert.equal(again.headers.etag, answer.headers.etag)
      assert.equal((await ask(second, SMALL, 32)).headers['x-pixrace-cache'], 'MEMORY')
      // The same bytes under another name.
      assert.equal((await ask(second, '/dir/inner.jpg', 32)).headers['x-pixrace-cache'], 'CACHE')
    })
    assert.deepEqual(made, [])
  })

  it("the cache is that of the build layer: its key, its folder's layout", async () => {
    const dir = folder()
    await ask(handlerWith({ cache: { dir } }), SMALL, 16)
    const job = {
      ...{
        kind: 'image',
        formats: ['jpeg'],
        engine: { effort: 'fast', verify: false, minScore: 75 },
        resize: { width: 16 },
      },
      keepOriginal: true,
    }
    const key = await cacheKey(fs.readFileSync(join(root, SMALL)), job, fingerprint())
    assert.deepEqual(fs.readdirSync(dir, { recursive: true }).sort(), [key.slice(0, 2), join(key.slice(0, 2), key)])
  })
})

describe('a client that hangs up', () => {
  it('through node:http ends the engine call and frees its place; the next one gets its image', async () => {
    const handler = handlerWith({ concurrency: 1, maxQueue: 0 })
    const server = await serve(handler)
    const open = hold()
    const [call] = await callsOf(async () => {
      const before = calls.length
      const request = http.get({ port: server.address().port, path: targetOf(SMALL), headers: JPEG, agent: false })
      request.on('error', () => {})
      await until(() => calls.length > before, 'a call')
      request.destroy()
      await until(() => calls[before].ended, 'the end of the call')
    })
    assert.deepEqual([call.aborted, call.ended], [true, true])
    await until(() => isIdle(handler), 'a free place')
    open()
    assert.equal((await askNode(server, targetOf('/alpha.png'))).status, 200)
  })

  it('leaves the work to others that wait for it', async () => {
    const handler = handlerWith()
    const open = hold()
    const leaving = new AbortController()
    const before = calls.length
    const left = askWeb(handler, targetOf(SMALL), { headers: JPEG, signal: leaving.signal })
    const stayed = ask(handler, SMALL, 16)
    await until(() => calls.length > before, 'a call')
    leaving.abort()
    await assert.rejects(left, { name: 'AbortError' })
    await sleep(20)
    assert.equal(calls[before].aborted, false)
    open()
    assert.equal((await stayed).status, 200)
    assert.equal(calls.length, before + 1)
  })

  it('does not spoil the image for who asks right behind it', async () => {
    const handler = handlerWith()
    const open = hold()
    const leaving = new AbortController()
    const before = calls.length
    const left = askWeb(handler, targetOf(SMALL), { headers: JPEG, signal: leaving.signal })
    await until(() => calls.length > before, 'a call')
    leaving.abort()
    const [, next] = await Promise.all([assert.rejects(left), ask(handler, SMALL, 16), sleep(50).then(open)])
    assert.equal(next.status, 200)
    assert.ok(await isIdle(handler))
  })

  it('in the queue leaves it, and its work never begins', async () => {
    const handler = handlerWith({ concurrency: 1, maxQueue: 1 })
    const open = hold()
    const before = calls.length
    const first = ask(handler, SMALL, 16)
    await until(() => calls.length > before, 'a call')
    const leaving = new AbortController()
    const second = askWeb(handler, targetOf(SMALL, 32), { headers: JPEG, signal: leaving.signal })
    await until(async () => (await gauge(handler, 'pixrace_images_queued')) === 1, 'one in the queue')
    assert.equal((await ask(handler, SMALL, 48)).status, 503)
    leaving.abort()
    await assert.rejects(second, { name: 'AbortError' })
    assert.equal(await gauge(handler, 'pixrace_images_queued'), 0)
    const third = ask(handler, SMALL, 64)
    open()
    assert.deepEqual([(await first).status, (await third).status], [200, 200])
    assert.equal(calls.length, before + 2)
  })

  it('before its request was looked at costs nothing', async () => {
    const handler = handlerWith()
    const made = await callsOf(() => assert.rejects(askWeb(handler, targetOf(SMALL), { signal: AbortSignal.abort() })))
    assert.deepEqual(made, [])
  })

  it('at the end of its answer only leaves no listener: many requests may share a signal', async () => {
    const handler = handlerWith()
    const { signal } = new AbortController()
    // A request of its own has a signal of its own; this is what frameworks hand on.
    const request = { method: 'GET', headers: new Headers(JPEG), signal }
    for (let width = 0; width < 8; width++) {
      const url = `http://site.test${targetOf(SMALL, [16, 32, 48, 64, 96, 128, 256, 384][width])}`
      await Promise.all([1, 2, 3].map(() => handler({ ...request, url })))
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
})

describe('the queue', () => {
  it('answers 503 with Retry-After beyond its bound, and serves what is finished all the same', async () => {
    const handler = handlerWith({ concurrency: 2, maxQueue: 3 })
    assert.equal((await ask(handler, SMALL, 16)).status, 200)
    const open = hold()
    const widths = [32, 48, 64, 96, 128]
    const accepted = widths.map(width => ask(handler, SMALL, width))
    await until(async () => (await gauge(handler, 'pixrace_images_queued')) === 3, 'a full queue')
    assert.equal(await gauge(handler, 'pixrace_images_running'), 2)
    const { status, headers, body } = await ask(handler, SMALL, 256)
    assert.deepEqual([status, headers['retry-after'], headers['cache-control']], [503, '2', 'no-store'])
    assert.equal(String(body), 'Too many images are being made.\n')
    assert.equal((await ask(handler, SMALL, 16)).status, 200)
    // What is in work already takes no place.
    const joined = ask(handler, SMALL, 128)
    open()
    for (const answer of [...accepted, joined]) assert.equal((await answer).status, 200)
    assert.equal((await ask(handler, SMALL, 256)).status, 200)
    assert.ok(await isIdle(handler))
  })
})

describe('refine', () => {
  const effortsOf = made => made.map(({ options }) => options.effort ?? 'balanced')

  it('answers with the fast one first, then has the better one in memory and in the cache', async () => {
    const { storage } = countingCache()
    const options = { refine: true, effort: 'balanced', cache: { storage } }
    const handler = handlerWith(options)
    const made = await callsOf(async () => {
      const open = hold()
      const first = ask(handler, SMALL, 96)
      open()
      assert.equal((await first).headers['x-pixrace-cache'], 'MADE')
      await until(() => calls.at(-1).options.effort === 'balanced' && calls.at(-1).ended, 'a better one')
      await until(() => isIdle(handler), 'the end')
    })
    assert.deepEqual(effortsOf(made), ['fast', 'balanced'])
    const better = await ask(handlerWith({ effort: 'balanced', verify: true, cache: { storage } }), SMALL, 96)
    assert.equal(better.headers['x-pixrace-cache'], 'CACHE')
    await until(async () => (await ask(handler, SMALL, 96)).headers.etag === better.headers.etag, 'the better one')
    const again = await callsOf(async () => {
      assert.deepEqual((await ask(handlerWith(options), SMALL, 96)).body, better.body)
    })
    assert.deepEqual(again, [])
  })

  it('waits behind every request, those that come later too, one at a time', async () => {
    const handler = handlerWith({ refine: true, effort: 'balanced', concurrency: 1 })
    const queued = count => until(async () => (await gauge(handler, 'pixrace_images_queued')) === count, 'a queue')
    const made = await callsOf(async () => {
      const before = calls.length
      const openFirst = hold()
      const answers = [ask(handler, SMALL, 16), ask(handler, SMALL, 32)]
      await queued(1)
      // The turn is taken before the engine is called: only then the first is held.
      await until(() => calls.length === before + 1, 'the first call')
      const openOthers = hold()
      openFirst()
      // The better one of the first waits now; the third request goes before it.
      await until(() => calls.length === before + 2, 'the second call')
      answers.push(ask(handler, SMALL, 48))
      await queued(1)
      openOthers()
      for (const answer of answers) assert.equal((await answer).status, 200)
      await until(() => calls.length === before + 6, 'better ones')
      await until(() => isIdle(handler), 'the end')
    })
    assert.deepEqual(effortsOf(made), ['fast', 'fast', 'fast', 'balanced', 'balanced', 'balanced'])
  })

  it('ends when the handler is closed', async () => {
    const handler = handlerWith({ refine: true, effort: 'balanced', concurrency: 1 })
    await Promise.all([16, 32, 48].map(width => ask(handler, SMALL, width)))
    const open = hold()
    await handler.close()
    const pending = calls.filter(({ ended }) => !ended)
    await until(() => isIdle(handler), 'the end')
    open()
    assert.ok(pending.every(({ aborted }) => aborted))
    assert.ok(calls.every(({ ended }) => ended))
  })
})

describe('stale images', () => {
  it('a changed file: the old image at once, the new one from then on; a removed one: 404', async () => {
    const own = makeSite().root
    const file = join(own, 'small.jpg')
    // A date that can be set again: file systems have finer ones than `utimes` takes.
    fs.utimesSync(file, 1_000_000, 1_000_000)
    const handler = handlerWith({ roots: own })
    const old = await ask(handler, SMALL, 16)
    // Of the same size and date, as archives and `cp -p` make it.
    const { size } = fs.statSync(file)
    const picture = fs.readFileSync(join(own, 'alpha.png'))
    fs.writeFileSync(file, Buffer.concat([picture, Buffer.alloc(size - picture.length)]))
    fs.utimesSync(file, 1_000_000, 1_000_000)
    assert.deepEqual((await ask(handler, SMALL, 16)).body, old.body)
    await sleep(FRESH_MS + 50)
    const stale = await ask(handler, SMALL, 16)
    assert.deepEqual([stale.headers['x-pixrace-cache'], stale.body], ['STALE', old.body])
    await until(async () => (await ask(handler, SMALL, 16)).headers.etag !== old.headers.etag, 'the new one')
    fs.rmSync(file)
    await sleep(FRESH_MS + 50)
    await ask(handler, SMALL, 16)
    await until(async () => (await ask(handler, SMALL, 16)).status === 404, '404')
  })

  it('an unchanged file is not made again', async () => {
    const handler = handlerWith()
    await ask(handler, SMALL, 16)
    const made = await callsOf(async () => {
      await sleep(FRESH_MS + 50)
      assert.equal((await ask(handler, SMALL, 16)).headers['x-pixrace-cache'], 'STALE')
      await until(() => isIdle(handler), 'the end')
      assert.equal((await ask(handler, SMALL, 16)).headers['x-pixrace-cache'], 'MEMORY')
    })
    assert.deepEqual(made, [])
  })

  it('a remote image is asked for again when its age is over; an upstream that fails costs no image, one without it does', async () => {
    let route = '/ok.jpg'
    const upstream = await startUpstream()
    const front = await startUpstream({
      '/image': (_, response) => response.writeHead(302, { location: `${upstream.base}${route}` }).end(),
    })
    const handler = handlerWith({ remotePatterns: [{ hostname: '127.0.0.1' }], allowPrivateNetwork: true, maxAge: 1 })
    const url = `${front.base}/image`
    assert.equal((await ask(handler, url, 16)).headers['cache-control'], 'public, max-age=1, must-revalidate')
    await ask(handler, url, 16)
    assert.equal(front.hits.length, 1)
    for (const [next, hits] of [
      ['/ok.jpg', 2],
      ['/error', 3],
      ['/gone', 4],
    ]) {
      route = next
      await sleep(FRESH_MS + 100)
      const { status, headers } = await ask(handler, url, 16)
      assert.deepEqual([status, headers['x-pixrace-cache']], [200, 'STALE'], next)
      await until(() => front.hits.length === hits, `hit ${hits}`)
      await until(() => isIdle(handler), 'the end')
    }
    assert.equal((await ask(handler, url, 16)).status, 404)
  })
})
