// A worker thread of threads.test.mjs: makes as many calls as it is told and posts the first file, or stays with its
// calls in flight until it is terminated.
import { parentPort, workerData } from 'node:worker_threads'
import pixrace from '../../index.js'

const { input, calls, stay } = workerData
const { signal } = new AbortController()
const promises = Array.from({ length: calls }, () => pixrace.optimize(input, { effort: 'fast', signal }))
if (stay) {
  pixrace.score(input, input)
  parentPort.postMessage('in flight')
  // Keeps the thread busy with JavaScript too, so that termination meets it in the middle of something.
  setInterval(() => pixrace.inspect(input), 1)
} else {
  const results = await Promise.all(promises)
  parentPort.postMessage(results.map(result => result.data))
}
