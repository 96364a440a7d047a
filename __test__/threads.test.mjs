// Shows where the work runs: never on the event loop, never in libuv's pool, and on no more threads than the call and the
// process may use. Threads are counted from outside, in /proc, by the CPU time that each has spent, so that threads
// which a codec starts by itself would show. Also shows that the process may end with calls in flight.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { askChild, startChild } from './support/child.mjs'
import { fixture } from './support/fixtures.mjs'
import { canWatch, watch } from './support/threads.mjs'

const PHOTO = fixture('photo.jpg')
const ALL = ['avif', 'webp', 'jpeg', 'png']
const FAST = { effort: 'fast' }
// Every format is finished, so that all candidates can be counted.
const ALL_ONCE = { ...FAST, quality: 80, strategy: 'all' }
const ALL_SEARCHED = { ...FAST, minScore: 70, strategy: 'all' }

// Share of samples with more threads running than allowed. When one call follows another, the threads of the first still
// look for work for a moment: that is 0.1 here, and 0.8 if every call starts at once.
const MOST_ABOVE = 0.25

const nextMessage = emitter =>
  new Promise((resolve, reject) => {
    emitter.once('message', resolve)
    emitter.once('error', reject)
    emitter.once('exit', code => reject(new Error(`ended with ${code}`)))
  })

describe('the event loop', () => {
  it('keeps ticking while a call is at work', async () => {
    let [ticks, settled] = [0, false]
    const promise = pixrace.optimize(PHOTO).finally(() => {
      settled = true
    })
    assert.equal(settled, false)
    const timer = setInterval(() => {
      ticks += 1
    }, 1)
    await promise
    clearInterval(timer)
    // Work on the event loop would leave no tick at all; this call takes hundreds of milliseconds.
    assert.ok(ticks >= 10, `${ticks} ticks`)
  })

  it('is what optimizeSync blocks', async () => {
    let ticks = 0
    const timer = setInterval(() => {
      ticks += 1
    }, 1)
    const result = pixrace.optimizeSync(PHOTO, FAST)
    assert.equal(ticks, 0)
    clearInterval(timer)
    assert.deepEqual(result.data, (await pixrace.optimize(PHOTO, FAST)).data)
  })
})

describe("libuv's pool", () => {
  it('is free for others while calls are in flight', async () => {
    const order = await askChild('child-libuv.mjs', { env: { UV_THREADPOOL_SIZE: '1' } })
    assert.equal(order.length, 12)
    assert.deepEqual(order.slice(0, 4), Array(4).fill('read'), String(order))
  })
})

describe('threads at work, with PIXRACE_THREADS=4', { skip: canWatch ? false : 'needs /proc of Linux' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pixrace-threads-'))
  const file = join(folder, 'large.png')
  before(async () => {
    // Large enough for several AVIF tiles, which is what a codec encodes on several threads.
    writeFileSync(file, await sharp(PHOTO).resize(2400, 1800).png().toBuffer())
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Makes these calls at once in a process of their own; asserts what holds for each; gives what was seen. */
  async function observe(wishes, most) {
    const { child, ended } = startChild('child-threads.mjs', { args: [file], env: { PIXRACE_THREADS: '4' } })
    const { own } = await nextMessage(child)
    child.send(wishes)
    const seen = await watch(child.pid, own, most, nextMessage(child))
    child.send('end')
    const { code, messages } = await ended
    assert.equal(code, 0)
    const counts = wishes.map(wish => (wish === 'score' ? 100 : (wish.formats ?? ALL).length + 1))
    assert.deepEqual(messages.at(-1).finished, counts, 'a candidate is missing')
    const report = JSON.stringify(seen)
    assert.ok(seen.total > 50, `too little work to tell: ${report}`)
    assert.ok(seen.above < MOST_ABOVE, `more than ${most} at the same time: ${report}`)
    // With calls of many kinds a team of threads may have to make room for another.
    // The times of threads are cut off to whole ticks, and on a quick machine there are few.
    const lost = seen.lost * seen.total - seen.busy.length
    if (wishes.length === 1) assert.ok(lost < 0.05 * seen.total, `CPU time of threads that came and went: ${report}`)
    return { ...seen, report }
  }

  for (const concurrency of [1, 2, 3]) {
    it(`a call with concurrency ${concurrency} finishes four formats on ${concurrency}`, async () => {
      const { busy, report } = await observe([{ ...ALL_ONCE, concurrency }], concurrency)
      assert.ok(busy.length >= 1 && busy.length <= concurrency, report)
    })
  }

  it('a search with concurrency 2, judging included, runs on two', async () => {
    const { busy, report } = await observe([{ ...ALL_SEARCHED, concurrency: 2 }], 2)
    assert.ok(busy.length >= 1 && busy.length <= 2, report)
  })

  it('a call with parallel: false runs on one', async () => {
    const { busy, report } = await observe([{ ...ALL_ONCE, parallel: false }], 1)
    assert.equal(busy.length, 1, report)
  })

  it('one format alone keeps to its bound too', async () => {
    const { busy, report } = await observe([{ ...ALL_ONCE, effort: 'balanced', formats: ['avif'], concurrency: 2 }], 2)
    assert.ok(busy.length >= 1 && busy.length <= 2, report)
  })

  for (const options of [{}, { concurrency: 64 }]) {
    it(`a call with ${JSON.stringify(options)} uses several, at most four`, async () => {
      const { busy, report } = await observe([{ ...ALL_ONCE, ...options }], 4)
      assert.ok(busy.length >= 2 && busy.length <= 4, report)
    })
  }

  it('four calls with concurrency 2 at once use at most four', async () => {
    const { busy, report } = await observe(Array(4).fill({ ...ALL_ONCE, concurrency: 2 }), 4)
    assert.ok(busy.length >= 2 && busy.length <= 4, report)
  })

  it('calls of all kinds at once never run on more than four at the same time', async () => {
    const one = { ...ALL_ONCE, formats: ['webp', 'jpeg'], concurrency: 1 }
    const two = { ...ALL_ONCE, formats: ['avif', 'jpeg'], concurrency: 2 }
    const whole = { ...ALL_ONCE, formats: ['webp', 'avif'] }
    await observe([one, two, whole, 'score', two, one, whole, 'score', one, whole], 4)
  })
})

describe('the process', () => {
  for (const milliseconds of [0, 1, 5, 20, 60, 150, 400]) {
    it(`exits with its own code ${milliseconds} ms after calls were made`, async () => {
      const { code, signal, errors } = await startChild('child-exit.mjs', { args: ['exiting', milliseconds] }).ended
      assert.deepEqual([code, signal, errors], [7, null, ''])
    })
  }

  it('ends as always by an error that nobody catches', async () => {
    const { code, signal, errors } = await startChild('child-exit.mjs', { args: ['throwing', 20] }).ended
    assert.deepEqual([code, signal], [1, null])
    assert.match(errors, /Error: on purpose/)
  })

  it('waits for a promise that is pending', async () => {
    const { code, output } = await startChild('child-exit.mjs', { args: ['naturally'] }).ended
    assert.deepEqual([code, output], [0, 'done: 5\n'])
  })
})
