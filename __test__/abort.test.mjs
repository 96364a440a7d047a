// Shows that a signal or a timeout ends a call wherever it is: before it begins, in the queue, in the middle of the work;
// that the promise rejects with the signal's own reason; and that nothing of the call stays behind: no listener on the
// signal, no work, no memory. The only time asserted is the promise of 50 ms, which the design makes; it is measured
// three times and one must hold, because a busy machine may wake any process late.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import pixrace from '../index.js'
import { askChild } from './support/child.mjs'
import { fixture } from './support/fixtures.mjs'
import { growth } from './support/growth.mjs'

// Read when the pool is built, which the first call does. Three whole-pool calls run at once; the others wait.
process.env.PIXRACE_THREADS = '2'

const PROMISED_MS = 50
const PIXEL = fixture('pixel.png')
const PHOTO = fixture('photo.jpg')
const FAST = { effort: 'fast' }
const QUICK = { ...FAST, formats: ['webp'] }

const listeners = signal => getEventListeners(signal, 'abort').length
/** Resolves when nothing runs any more: a call on one thread cannot start beside one on all threads. */
const idle = () => pixrace.optimize(PIXEL, { concurrency: 1 })

/** What a promise rejects with; fails if it does not. */
async function reasonOf(promise) {
  const fulfilled = Symbol('fulfilled')
  let reason = fulfilled
  await promise.then(
    () => {},
    rejection => {
      reason = rejection
    },
  )
  assert.notEqual(reason, fulfilled, 'the call was not stopped')
  return reason
}

/** How long the rejection takes, at best of three, from the abort to the handler, while other calls are in flight. */
async function quickest(start) {
  const times = []
  for (let round = 0; round < 3; round++) {
    let settled = 0
    const controller = new AbortController()
    const { promise, others } = await start(controller.signal)
    for (const other of others) other.then(() => settled++)
    const started = performance.now()
    controller.abort()
    assert.equal(await reasonOf(promise), controller.signal.reason)
    times.push(performance.now() - started)
    assert.ok(settled < 2, `${settled} others were done before`)
    await Promise.all(others)
    await idle()
  }
  return Math.min(...times)
}

const REASONS = [
  ['an Error', new TypeError('mine')],
  ['a string', 'enough'],
  ['an object', { why: 'enough' }],
  ['a number', 0],
  ['null', null],
  ['a symbol', Symbol('enough')],
]

describe('the reason', () => {
  for (const [title, reason] of REASONS) {
    it(`${title} is what the promise rejects with, before, in the queue and at work`, async () => {
      const aborted = AbortSignal.abort(reason)
      assert.equal(await reasonOf(pixrace.optimize(PHOTO, { signal: aborted })), reason)
      const controllers = Array.from({ length: 6 }, () => new AbortController())
      const calls = controllers.map(({ signal }) => pixrace.optimize(PHOTO, { formats: ['webp', 'jpeg'], signal }))
      const reasons = Promise.all(calls.map(reasonOf))
      await sleep(20)
      for (const controller of controllers) controller.abort(reason)
      for (const rejection of await reasons) assert.equal(rejection, reason)
    })
  }

  it('is an AbortError if none is given', async () => {
    const controller = new AbortController()
    const promise = pixrace.optimize(PHOTO, { signal: controller.signal })
    controller.abort()
    const reason = await reasonOf(promise)
    assert.ok(reason instanceof DOMException)
    assert.equal(reason.name, 'AbortError')
    assert.equal(reason, controller.signal.reason)
  })

  it('is that of AbortSignal.timeout and AbortSignal.any', async () => {
    const reason = await reasonOf(pixrace.optimize(PHOTO, { signal: AbortSignal.timeout(5) }))
    assert.equal(reason.name, 'TimeoutError')
    const controller = new AbortController()
    const any = AbortSignal.any([new AbortController().signal, controller.signal])
    const promise = pixrace.optimize(PHOTO, { signal: any })
    controller.abort('either')
    assert.equal(await reasonOf(promise), 'either')
  })

  it('is what optimizeSync throws, before any work', () => {
    for (const reason of [...REASONS.map(([, given]) => given), undefined]) {
      const signal = AbortSignal.abort(reason)
      assert.throws(
        () => pixrace.optimizeSync(PHOTO, { signal }),
        thrown => thrown === signal.reason,
        String(reason),
      )
    }
  })

  it('is the same for every call that shares the signal', async () => {
    const controller = new AbortController()
    const calls = Array.from({ length: 30 }, () => pixrace.optimize(PHOTO, { signal: controller.signal }))
    // Node warns of a leak from eleven on.
    assert.ok(listeners(controller.signal) <= 10, `${listeners(controller.signal)} listeners`)
    controller.abort('all of you')
    for (const promise of calls) assert.equal(await reasonOf(promise), 'all of you')
    assert.equal(listeners(controller.signal), 0)
  })
})

describe('an aborted call', () => {
  it('rejects within 50 ms at work', async () => {
    const time = await quickest(async signal => {
      const promise = pixrace.optimize(PHOTO, { ...FAST, signal })
      await sleep(100)
      return { promise, others: [] }
    })
    assert.ok(time < PROMISED_MS, `${time} ms`)
  })

  it('rejects within 50 ms in the queue, and long before what it waited for', async () => {
    const time = await quickest(async signal => {
      const others = [1, 2, 3].map(() => pixrace.optimize(PHOTO, FAST))
      return { promise: pixrace.optimize(PHOTO, { ...FAST, signal }), others }
    })
    assert.ok(time < PROMISED_MS, `${time} ms`)
  })

  it('is never started if it was in the queue', async () => {
    const cost = async work => {
      await idle()
      const before = process.cpuUsage()
      await work()
      await idle()
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const call = options => pixrace.optimize(fixture('photo.png'), options)
    await cost(call)
    const one = await cost(call)
    const twenty = await cost(async () => {
      const controllers = Array.from({ length: 19 }, () => new AbortController())
      const first = call()
      const others = controllers.map(({ signal }) => reasonOf(call({ signal })))
      for (const controller of controllers) controller.abort()
      await Promise.all([first, ...others])
    })
    // Two may have started beside the first; the other seventeen are what counts.
    assert.ok(twenty < 6 * one, `${twenty / one} times the CPU time of one call`)
  })

  it('leaves no memory behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pixrace-abort-'))
    after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'large.jpg')
    writeFileSync(file, await sharp(PHOTO).resize(1600, 1250).jpeg().toBuffer())
    const settings = { args: ['abort', file, 60], flags: ['--expose-gc'], env: { PIXRACE_THREADS: '2' } }
    const { samples, held } = await askChild('child-memory.mjs', settings)
    // Each of the calls had decoded 6 MB of pixels: 32 of them lie between the first and the last third, 180 MiB. The
    // allocator's own ups and downs are 40 MiB from one sample to another.
    const grown = growth(samples, 12)
    assert.ok(grown < 60, `${grown} MiB in ${samples.map(Math.round)}`)
    assert.ok(held <= 1, `${held} of ${samples.length} signals are still held`)
  })
})

describe('a signal', () => {
  it('keeps no listener of a call that is settled, however it settled', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const endings = [
      [PIXEL, {}],
      [fixture('bad/truncated.png'), {}],
      [fixture('bad/svg.svg'), {}],
      [PIXEL, { limits: { maxPixels: 1, maxInputBytes: 1 } }],
      [PHOTO, { limits: { timeoutMs: 1 } }],
      [fixture('alpha-gradient.png'), { formats: ['jpeg'], keepOriginal: false }],
      [PIXEL, { quality: 'high' }],
      ['no bytes', {}],
    ]
    for (const [input, options] of endings) {
      await pixrace.optimize(input, { ...options, signal }).catch(() => {})
      assert.equal(listeners(signal), 0, JSON.stringify(options))
    }
    for (let call = 0; call < 100; call++) await pixrace.optimize(PIXEL, { ...QUICK, signal })
    assert.equal(listeners(signal), 0)
    const promise = pixrace.optimize(PHOTO, { signal })
    assert.equal(listeners(signal), 1)
    controller.abort()
    await reasonOf(promise)
    assert.equal(listeners(signal), 0)
  })

  it('that aborts after the answer changes nothing', async () => {
    const controller = new AbortController()
    const result = await pixrace.optimize(PIXEL, { signal: controller.signal })
    const before = Buffer.from(result.data)
    controller.abort()
    await sleep(5)
    assert.deepEqual(result.data, before)
    assert.deepEqual((await pixrace.optimize(PIXEL)).data, before)
  })

  it('may abort at any moment: the call either answers or rejects with the reason', async () => {
    const expected = (await pixrace.optimize(PIXEL)).data
    for (let round = 0; round < 300; round++) {
      const controller = new AbortController()
      const promise = pixrace.optimize(PIXEL, { signal: controller.signal })
      if (round % 3 === 1) setImmediate(() => controller.abort(round))
      else if (round % 3 === 2) setTimeout(() => controller.abort(round), 1)
      else controller.abort(round)
      const answer = await promise.then(
        result => result.data,
        reason => reason,
      )
      assert.deepEqual(answer, Buffer.isBuffer(answer) ? expected : round)
    }
  })
})

describe('limits.timeoutMs', () => {
  const timedOut = timeoutMs => error => {
    assert.ok(error instanceof Error)
    assert.deepEqual([error.code, error.timeoutMs], ['ERR_PIXRACE_TIMEOUT', timeoutMs])
    assert.match(error.message, new RegExp(`\\b${timeoutMs} ms`))
    return true
  }

  it('ends a call at work, not before its time', async () => {
    for (const timeoutMs of [1, 120]) {
      const started = performance.now()
      await assert.rejects(pixrace.optimize(PHOTO, { limits: { timeoutMs } }), timedOut(timeoutMs))
      assert.ok(performance.now() - started >= timeoutMs - 1)
      assert.throws(() => pixrace.optimizeSync(PHOTO, { limits: { timeoutMs } }), timedOut(timeoutMs))
    }
  })

  it('counts the time in the queue, and does not wait for a turn', async () => {
    const settled = []
    const blockers = [1, 2, 3].map(() => pixrace.optimize(PHOTO, FAST).then(() => settled.push('blocker')))
    const waiting = pixrace.optimize(PIXEL, { limits: { timeoutMs: 30 } })
    await assert.rejects(waiting, timedOut(30))
    assert.deepEqual(settled, [])
    await Promise.all(blockers)
  })

  it('changes nothing if it is not reached', async () => {
    const patient = await pixrace.optimize(fixture('photo.png'), { limits: { timeoutMs: 86_400_000 } })
    const plain = await pixrace.optimize(fixture('photo.png'))
    assert.deepEqual(patient.data, plain.data)
  })

  it('and a signal: the first one decides', async () => {
    const controller = new AbortController()
    const promise = pixrace.optimize(PHOTO, { limits: { timeoutMs: 60_000 }, signal: controller.signal })
    controller.abort('before the clock')
    assert.equal(await reasonOf(promise), 'before the clock')
    const late = new AbortController()
    const slow = pixrace.optimize(PHOTO, { limits: { timeoutMs: 10 }, signal: late.signal })
    await assert.rejects(slow, timedOut(10))
    late.abort()
    assert.equal(listeners(late.signal), 0)
  })
})
