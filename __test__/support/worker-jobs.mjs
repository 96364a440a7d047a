// A worker thread of workers.test.mjs: does the job that it is told, as a task of a pool or by itself, and posts what comes
// of it: digests of files, or that its calls are in flight.
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import pixrace from '../../index.js'

const digest = ({ data }) => createHash('sha256').update(data).digest('hex')
const optimize = async ({ input, options }) => digest(await pixrace.optimize(input, options))

/** Calls to be in when the thread ends, each many times as long as one with `options`, with and without signals. */
function fly({ input, calls }) {
  const controller = new AbortController()
  for (let call = 0; call < calls; call++) {
    const signal = call % 2 ? controller.signal : undefined
    pixrace.optimize(input, { signal }).catch(() => {})
  }
  return controller
}

const jobs = {
  optimize,

  sync: ({ input, options }) => digest(pixrace.optimizeSync(input, options)),

  // A call for each message; null is the last.
  serve(data) {
    parentPort.on('message', async message => {
      if (message === null) parentPort.close()
      else parentPort.postMessage(await optimize(data))
    })
  },

  // Stays in its calls until it is terminated, and in JavaScript too, so that termination meets it in the middle of something.
  stay(data) {
    fly(data)
    pixrace.score(data.input, data.input)
    setInterval(() => pixrace.inspect(data.input), 1)
    return 'in flight'
  },

  hang(data) {
    fly(data)
    return new Promise(() => {})
  },

  // Ends by itself, with answers of aborted calls on their way to it.
  exit(data) {
    const controller = fly(data)
    for (let call = 0; call < 8; call++) pixrace.inspect(data.input)
    controller.abort()
    process.exit(5)
  },

  throw(data) {
    fly(data)
    throw new Error('on purpose')
  },

  // Ends because its heap is full.
  exhaust(data) {
    fly(data)
    const filled = []
    setInterval(() => {
      for (let count = 0; count < 1000; count++) filled.push(Array.from({ length: 100 }, (_, index) => ({ index })))
    }, 1)
    return 'in flight'
  },
}

export default ({ job, ...data }) => jobs[job](data)

if (workerData?.job) {
  const { job, ...data } = workerData
  const answer = await jobs[job](data)
  if (answer !== undefined) parentPort.postMessage(answer)
}
