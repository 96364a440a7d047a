// Shows what the image handler tells of its work (metrics, events, timing), that client hints choose an image, and that what
// it keeps in memory is bounded.

// Before anything that loads the engine.
import './support/engine.mjs'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { calls } from './support/engine.mjs'
import { askWeb, gauge, handlerOf, makeSite, targetOf } from './support/image-server.mjs'
import { startUpstream } from './support/upstream.mjs'

const { root } = makeSite()
const SMALL = '/small.jpg'
const JPEG = { accept: 'image/jpeg' }
const ask = (handler, url, width, headers = JPEG) => askWeb(handler, targetOf(url, width), { headers })
const handlerWith = options => handlerOf({ roots: root, ...options })

describe('memory', () => {
  it('images in memory stay within their bound, long URLs counted', async () => {
    const memory = 20_000
    const upstream = await startUpstream()
    const remote = { remotePatterns: [{ hostname: '127.0.0.1' }], allowPrivateNetwork: true }
    const handler = handlerWith({ memory, ...remote })
    const askFor = round => ask(handler, `${upstream.base}/ok.jpg?${'x'.repeat(2000)}${round}`, 16)
    for (let round = 0; round < 30; round++) {
      await askFor(round)
      assert.ok((await gauge(handler, 'pixrace_memory_cache_bytes')) <= memory)
    }
    // From the last to the first: each that is not there takes the place of others.
    let kept = 0
    while ((await askFor(29 - kept)).headers['x-pixrace-cache'] !== 'MADE') kept++
    assert.ok(kept > 2 && kept < memory / 2000, `${kept} images`)
    const without = handlerWith({ memory: 0 })
    await ask(without, SMALL, 16)
    assert.equal(await gauge(without, 'pixrace_memory_cache_bytes'), 0)
  })
})

describe('what it tells', () => {
  it('metrics are in the text format of Prometheus, and count', async () => {
    const handler = handlerWith()
    await ask(handler, SMALL, 16)
    await ask(handler, SMALL, 16)
    await ask(handler, '/none"\\\n.jpg', 16)
    const response = await handler.metrics()
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    const lines = text.split('\n')
    assert.equal(lines.pop(), '')
    const types = new Map()
    for (const line of lines) {
      assert.match(
        line,
        /^(?:# HELP [a-z_]+ .+|# TYPE [a-z_]+ (?:counter|gauge|histogram)|[a-z_]+(?:\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})? [\d.e+-]+)$/,
      )
      const [, type, name] = /^# (TYPE) (\S+)/.exec(line) ?? []
      if (!type) continue
      assert.ok(!types.has(name), name)
      types.set(name, line)
    }
    assert.ok(text.includes('pixrace_requests_total{status="200",source="made",format="jpeg"} 1\n'), text)
    assert.ok(text.includes('pixrace_requests_total{status="200",source="memory",format="jpeg"} 1\n'))
    assert.ok(text.includes('pixrace_requests_total{status="400",source="none",format="none"} 1\n'))
    const buckets = [...text.matchAll(/_bucket\{le="([^"]+)"\} (\d+)/g)].map(([, , count]) => Number(count))
    assert.deepEqual(
      buckets,
      [...buckets].sort((a, b) => a - b),
    )
    assert.deepEqual([buckets.at(-1), await gauge(handler, 'pixrace_request_duration_seconds_count')], [3, 3])
  })

  it('onRequest hears of every answer; what it throws or rejects with is no matter', async () => {
    const events = []
    const onRequest = event => {
      events.push(event)
      if (events.length === 1) throw new Error('a log that throws')
      return Promise.reject(new Error('a log that rejects'))
    }
    const handler = handlerWith({ onRequest })
    const { body } = await ask(handler, '/small.jpg?v=1', 16)
    await ask(handler, SMALL, 17)
    await askWeb(handler, targetOf(SMALL), { method: 'POST' })
    const [made, refused, method] = events
    assert.ok(made.durationMs > 0)
    const common = { status: 200, url: '/small.jpg?v=1', width: 16, format: 'jpeg', bytes: body.length, source: 'made' }
    assert.deepEqual({ ...made, durationMs: 0 }, { ...common, durationMs: 0 })
    assert.deepEqual(
      [refused.status, refused.url, refused.source, refused.error.name],
      [400, SMALL, 'none', 'HttpError'],
    )
    assert.deepEqual([method.status, method.url], [405, null])
    assert.equal(events.length, 3)
  })

  it('Server-Timing is there if asked for, of refusals too', async () => {
    const handler = handlerWith({ serverTiming: true })
    const timing = async url => (await ask(handler, url, 16)).headers['server-timing']
    assert.match(await timing(SMALL), /^pixrace;desc="made";dur=\d+\.\d$/)
    assert.match(await timing(SMALL), /^pixrace;desc="memory";dur=\d+\.\d$/)
    assert.match(await timing('/none.jpg'), /^pixrace;desc="none";dur=\d+\.\d$/)
  })
})

describe('client hints', () => {
  const widths = [16, 64, 120]
  const widthOf = async (handler, hint, query = '') => {
    const headers = { ...JPEG, ...hint }
    const { status, headers: answer, body } = await askWeb(handler, `/_image?url=/small.jpg${query}`, { headers })
    return status === 200
      ? sharp(body)
          .metadata()
          .then(({ width }) => [width, answer.vary])
      : status
  }

  it('the width hint chooses the next allowed width, where none is asked for', async () => {
    const handler = handlerWith({ clientHints: true, widths })
    const vary = 'Accept, Sec-CH-Width, Save-Data'
    for (const [hint, width] of [
      ['1', 16],
      ['16', 16],
      ['17', 64],
      ['64.5', 120],
      ['5000', 120],
      ['1e9', 120],
    ]) {
      assert.deepEqual(await widthOf(handler, { 'sec-ch-width': hint }), [width, vary], hint)
    }
    assert.deepEqual(await widthOf(handler, { 'sec-ch-width': '64' }, '&w=16'), [16, vary])
    for (const hint of ['', '0', '-1', 'wide', 'NaN', '1, 2']) {
      assert.equal(await widthOf(handler, { 'sec-ch-width': hint }), 400, hint)
    }
    assert.equal(await widthOf(handler, {}), 400)
  })

  it('Save-Data lowers the score to reach, and is another image', async () => {
    const handler = handlerWith({ clientHints: true })
    const before = calls.length
    await ask(handler, SMALL, 96)
    await ask(handler, SMALL, 96, { ...JPEG, 'save-data': 'On' })
    const made = calls.slice(before)
    assert.deepEqual(
      made.map(({ options }) => options.minScore),
      [75, 60],
    )
  })

  it('are no matter unless they are heeded', async () => {
    const handler = handlerWith({ widths })
    assert.equal(await widthOf(handler, { 'sec-ch-width': '64' }), 400)
    assert.deepEqual(await widthOf(handler, { 'save-data': 'on' }, '&w=16'), [16, 'Accept'])
  })
})
