// Run by input.test.mjs, abort.test.mjs and memory.test.mjs with --expose-gc: does one of the jobs below on a file and sends what it
// cost in memory. Resident memory is that of the whole process, so nothing that the addon holds can hide from it.
import { readFileSync } from 'node:fs'
import pixrace from '../../index.js'

const MIB = 2 ** 20
const [job, path, count] = process.argv.slice(2)
const input = readFileSync(path)

/** Resident memory in MiB, garbage left out. */
function resident() {
  globalThis.gc()
  return process.memoryUsage.rss() / MIB
}

const peak = () => process.resourceUsage().maxRSS / 1024

/** Runs `call` so often, one after the other, and gives resident memory after every `step` calls. */
async function samples(calls, step, call) {
  const taken = []
  for (let done = 1; done <= calls; done++) {
    await call()
    if (done % step === 0) taken.push(resident())
  }
  return taken
}

/** A call that is stopped in the middle of its work, and a second one that cannot start before the first has ended. */
async function stopped(signals) {
  const controller = new AbortController()
  const promise = pixrace.optimize(input, { formats: ['webp', 'jpeg'], signal: controller.signal })
  setTimeout(() => controller.abort(), 30)
  await promise.then(
    () => Promise.reject(new Error('it was done already')),
    () => {},
  )
  await pixrace.optimize(pixel, { concurrency: 1 })
  signals.push(new WeakRef(controller.signal))
}

const pixel = readFileSync(new URL('../../fixtures/pixel.png', import.meta.url))

const jobs = {
  // The same small call again and again, with a signal of its own each time.
  async leak() {
    const call = () => pixrace.optimize(input, { effort: 'fast', signal: new AbortController().signal })
    return { samples: await samples(Number(count), 20, call) }
  },

  // Calls that reject: at the door, at the header, in the decoder.
  async refusals() {
    const broken = input.subarray(0, Math.floor(input.length / 2))
    const refuse = async (bytes, options) => {
      await pixrace.optimize(bytes, options).then(
        () => Promise.reject(new Error('not refused')),
        () => {},
      )
    }
    const call = async () => {
      await refuse(input, { quality: 'high' })
      await refuse(input, { limits: { maxPixels: 1 } })
      await refuse(broken, { signal: new AbortController().signal })
    }
    return { samples: await samples(Number(count), 20, call) }
  },

  // A file that is refused by its header: what the peak is before and after.
  async hostile() {
    await pixrace.optimize(pixel)
    const before = peak()
    for (let call = 0; call < Number(count); call++) {
      for (const attempt of [pixrace.optimize(input), pixrace.inspect(input), pixrace.score(input, input)]) {
        await attempt.then(
          () => Promise.reject(new Error('not refused')),
          () => {},
        )
      }
    }
    return { before, after: peak() }
  },

  // Two calls at a time, and then all at once: what the peak of each is.
  async flight() {
    const options = { formats: ['webp', 'jpeg'], quality: 80, strategy: 'all', effort: 'fast', keepOriginal: false }
    // Every other call has threads of its own.
    const call = (_, index) => {
      const concurrency = index % 2 ? 1 : undefined
      return pixrace.optimize(input, { ...options, concurrency }).then(result => result.data.length)
    }
    const before = resident()
    for (let round = 0; round < 4; round++) await Promise.all([call(0, round), call(1, round)])
    const pairs = peak()
    await Promise.all(Array.from({ length: Number(count) }, call))
    return { before, pairs, all: peak() }
  },

  // Aborted calls: what stays resident, and how many of their signals are still held by something.
  async abort() {
    const signals = []
    const taken = await samples(Number(count), 1, () => stopped(signals))
    await new Promise(resolve => setTimeout(resolve, 20))
    globalThis.gc()
    return { samples: taken, held: signals.filter(signal => signal.deref() !== undefined).length }
  },
}

process.send(await jobs[job]())
process.disconnect()
