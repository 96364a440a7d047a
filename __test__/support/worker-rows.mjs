// The table of workers.test.mjs: what threads may do to each other and to the process. Each row runs in a process of its own,
// which it has to leave alive; only what a row does loads the addon there, so that it says which thread is the first.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { fixture } from './fixtures.mjs'

/** The code that a row's process ends with if nothing went wrong. */
export const CODE = 7
/** What every thread optimises, and how. */
export const INPUT = fixture('orientation-1.jpg')
export const OPTIONS = { effort: 'fast', quality: 80 }

export const digest = data => createHash('sha256').update(data).digest('hex')

const JOBS = new URL('worker-jobs.mjs', import.meta.url)
// So that a worker is met before, in and after what it does.
const DELAYS_MS = [0, 5, 50]

const load = () => createRequire(import.meta.url)('../../index.js')
const main = async () => digest((await load().optimize(INPUT, OPTIONS)).data)
const mainSync = () => digest(load().optimizeSync(INPUT, OPTIONS).data)

function start(job, { calls = 1, ...settings } = {}) {
  return new Worker(JOBS, { ...settings, workerData: { job, calls, input: INPUT, options: OPTIONS } })
}

/** A worker from its start to its end: what it posted. */
async function turn(job = 'optimize') {
  const worker = start(job)
  const [[answer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
  return answer
}

async function pool(settings) {
  const { Piscina } = await import('piscina')
  return new Piscina({ filename: fileURLToPath(JOBS), minThreads: 0, ...settings })
}

async function ask(worker) {
  worker.postMessage('go on')
  const [answer] = await once(worker, 'message')
  return answer
}

async function end(worker) {
  worker.postMessage(null)
  await once(worker, 'exit')
}

async function terminateInCalls(calls, milliseconds) {
  const worker = start('stay', { calls })
  await once(worker, 'message')
  await sleep(milliseconds)
  await worker.terminate()
}

/** Rows by what they do. Each gives digests of what threads made of `INPUT`. */
export const rows = {
  'the first load in a worker': async () => [await turn()],

  async 'workers in turn'() {
    const answers = []
    for (let count = 0; count < 3; count++) answers.push(await turn())
    return answers
  },

  async 'workers that overlap'() {
    const answers = []
    let last = start('serve')
    for (let count = 0; count < 3; count++) {
      const next = start('serve')
      answers.push(await ask(last), await ask(next))
      await end(last)
      answers.push(await ask(next))
      last = next
    }
    await end(last)
    return [...answers, ...(await Promise.all([turn(), turn()]))]
  },

  'the main thread after a worker': async () => [await turn(), await main(), await turn(), await main()],

  'the main thread before workers': async () => [await main(), await turn(), await turn(), await main()],

  async 'the main thread and workers at once'() {
    return Promise.all([turn(), main(), turn('sync'), main(), turn(), mainSync()])
  },

  'blocking calls': async () => [await turn('sync'), await turn('sync'), await turn(), await turn('sync')],

  async 'a worker that is terminated in a call'() {
    const answers = []
    for (const milliseconds of DELAYS_MS) {
      await terminateInCalls(1, milliseconds)
      answers.push(await turn())
    }
    return [...answers, await main()]
  },

  async 'workers that are terminated in many calls'() {
    const answers = []
    for (const milliseconds of DELAYS_MS) {
      await Promise.all([terminateInCalls(8, milliseconds), terminateInCalls(3, milliseconds)])
      answers.push(await Promise.all([turn(), main()]))
    }
    return answers.flat()
  },

  // What they asked for is not made: it would take 24 times as long as one call.
  async 'terminated workers leave no work behind'() {
    await load().optimize(INPUT)
    const { user: one } = process.cpuUsage()
    await load().optimize(INPUT)
    const before = process.cpuUsage()
    await terminateInCalls(24, 0)
    // Calls start in the order of their arrival.
    const answer = await main()
    const { user } = process.cpuUsage(before)
    assert.ok(user < 12 * (before.user - one), `${user} µs, of which one call is ${before.user - one}`)
    return [answer]
  },

  async 'workers that end by themselves in calls'() {
    for (const [job, ending] of [
      ['exit', 5],
      ['throw', 1],
    ]) {
      const worker = start(job, { calls: 4 })
      worker.on('error', error => assert.equal(error.message, 'on purpose'))
      const code = await new Promise(resolve => worker.on('exit', resolve))
      assert.equal(code, ending)
    }
    return [await turn(), await main()]
  },

  async 'a worker whose heap is full'() {
    const worker = start('exhaust', { calls: 4, resourceLimits: { maxOldGenerationSizeMb: 16 } })
    const [error] = await new Promise(resolve => worker.on('error', (...args) => resolve(args)))
    assert.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
    return [await turn(), await main()]
  },

  async 'a pool whose idle workers end'() {
    const piscina = await pool({ maxThreads: 2, idleTimeout: 1 })
    const answers = []
    // Idle threads of a pool do not keep the process.
    const alive = setInterval(() => {}, 1000)
    for (const tasks of [1, 3, 1]) {
      const run = () => piscina.run({ job: 'optimize', input: INPUT, options: OPTIONS })
      const running = Array.from({ length: tasks }, run)
      const ends = piscina.threads.map(worker => once(worker, 'exit'))
      answers.push(...(await Promise.all(running)))
      await Promise.all(ends)
    }
    clearInterval(alive)
    await piscina.destroy()
    return answers
  },

  async 'a task of a pool that is aborted'() {
    const piscina = await pool({ maxThreads: 1 })
    for (const milliseconds of [20, 150]) {
      const signal = AbortSignal.timeout(milliseconds)
      await assert.rejects(piscina.run({ job: 'hang', calls: 4, input: INPUT }, { signal }), { name: 'AbortError' })
    }
    const answer = await piscina.run({ job: 'optimize', input: INPUT, options: OPTIONS })
    await piscina.destroy()
    return [answer]
  },
}

for (const milliseconds of DELAYS_MS) {
  rows[`an exit ${milliseconds} ms into the calls of several threads`] = async () => {
    const workers = [start('stay', { calls: 4 }), start('stay', { calls: 1 })]
    await Promise.all(workers.map(worker => once(worker, 'message')))
    for (let call = 0; call < 4; call++) load().optimize(INPUT)
    await sleep(milliseconds)
    process.exit(CODE)
  }
}
