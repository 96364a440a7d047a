// A thread that does nothing but keep a core busy, until it is told to stop: the baseline of what load alone costs.
import { parentPort, workerData } from 'node:worker_threads'

const stop = new Int32Array(workerData)
parentPort.postMessage('spinning')
let sum = 0
while (Atomics.load(stop, 0) === 0) for (let i = 0; i < 1_000_000; i++) sum = (sum + i) | 0
parentPort.postMessage(sum)
