// What 64 calls in flight do to the rest of the process: file reads, which share libuv's threads with addons, and the
// event loop itself. The baseline is a process that is just as busy without pixrace: one spinning thread per core.
import fs from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import pixrace from '../../index.js'
import { cycle, fixture } from '../lib/corpus.mjs'
import { figure, judged, median, milliseconds, percentile, ratios } from '../lib/stats.mjs'

export const title = '64 calls in flight: file reads and the event loop'

const CALLS = 64
const WINDOW_MS = 4000
const PAUSE_MS = 1
const P99_BAR = 2
const STALL_BAR_MS = 10
const NANOSECONDS = 1e6

// A page of text: small enough that a read is all overhead.
const file = new URL('../../package.json', import.meta.url)
const read = () => new Promise((resolve, reject) => fs.readFile(file, error => (error ? reject(error) : resolve())))

// The longest time between two ticks of a timer of one millisecond. The first tick only starts the count.
async function watchLoop() {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  await sleep(10)
  return () => {
    delays.disable()
    return delays.max / NANOSECONDS
  }
}

/** Reads the file again and again for `windowMs` under a load: p99 of the reads and the longest stall. */
async function measure(windowMs, load) {
  const stop = await watchLoop()
  const start = performance.now()
  load()
  const reads = []
  while (performance.now() - start < windowMs) {
    const before = performance.now()
    await read()
    reads.push(performance.now() - before)
    await sleep(PAUSE_MS)
  }
  return { p99: percentile(reads, 0.99), stall: stop() }
}

// As many threads as pixrace has, all busy before the clock starts.
async function baseline(windowMs, threads) {
  const stop = new SharedArrayBuffer(4)
  const spinner = new URL('../lib/spinner.mjs', import.meta.url)
  const workers = Array.from({ length: threads }, () => new Worker(spinner, { workerData: stop }))
  const exits = workers.map(worker => new Promise(resolve => worker.once('exit', resolve)))
  await Promise.all(workers.map(worker => new Promise(resolve => worker.once('message', resolve))))
  const found = await measure(windowMs, () => {})
  Atomics.store(new Int32Array(stop), 0, 1)
  await Promise.all(exits)
  return found
}

// Sixty-four lanes that each optimise one picture after the other, each call from a tick of its own: copying the inputs
// and handing over the answers are part of what the loop has to bear.
async function inFlight(windowMs, images) {
  const controller = new AbortController()
  const { signal } = controller
  let answered = 0
  const lane = async first => {
    for (let next = first; !signal.aborted; next += CALLS) {
      await pixrace.optimize(images[next % images.length].bytes, { signal })
      answered++
    }
  }
  const lanes = []
  const found = await measure(windowMs, async () => {
    for (let i = 0; i < CALLS; i++) {
      lanes.push(lane(i).catch(error => (signal.aborted ? null : error)))
      await nextTick()
    }
  })
  controller.abort()
  const fault = (await Promise.all(lanes)).find(Boolean)
  if (fault) throw fault
  await untilIdle()
  return { ...found, answered }
}

// What nobody has to do: 64 calls within one tick, which is 64 copies before the loop turns again.
async function burst(images) {
  const controller = new AbortController()
  const start = performance.now()
  const calls = images.map(({ bytes }) => pixrace.optimize(bytes, { signal: controller.signal }))
  const elapsed = performance.now() - start
  controller.abort()
  await Promise.allSettled(calls)
  await untilIdle()
  return elapsed
}

// An aborted call answers at once, but its encoders need a moment to notice.
async function untilIdle() {
  const patience = performance.now() + 10_000
  while (performance.now() < patience) {
    const before = process.cpuUsage()
    await sleep(100)
    const { user, system } = process.cpuUsage(before)
    if (user + system < 20_000) return
  }
}

export async function run({ rounds, quick, threads, corpus, progress }) {
  const images = cycle(corpus.kodak, CALLS)
  const windowMs = quick ? 1000 : WINDOW_MS
  await pixrace.optimize(fixture('photo.png').bytes)
  const [busy, ours, bursts] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`)
    busy.push(await baseline(windowMs, threads))
    ours.push(await inFlight(windowMs, images))
    bursts.push(await burst(images))
  }
  const both = key => ({ a: ours.map(found => found[key]), b: busy.map(found => found[key]) })
  const beside = ({ a, b }) => `${milliseconds(median(a))} beside ${milliseconds(median(b))}`
  const above = ({ a, b }) => a.map((value, i) => value - b[i])
  const [p99, stall] = [both('p99'), both('stall')]
  const answered = `${median(ours.map(found => found.answered))} calls answered in ${milliseconds(windowMs)}`
  const megabytes = Math.round(images.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6)
  return {
    figures: [
      judged('fs.readFile, 99th percentile', ratios(p99), P99_BAR, { note: beside(p99) }),
      judged('longest stall, above the baseline', above(stall), STALL_BAR_MS, {
        unit: 'ms',
        note: `${beside(stall)}; ${answered}`,
      }),
      figure(`making ${CALLS} calls within one tick`, bursts, { unit: 'ms', note: `copies ${megabytes} MB` }),
    ],
  }
}
