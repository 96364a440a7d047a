// Run by claims.test.mjs: asks everything of one file, each in a process of its own, and sends what became of it, and how far
// the peak of resident memory rose above that of a small picture, in MiB.
import { readFileSync } from 'node:fs'
import pixrace from '../../index.js'

const [path, maxPixels] = process.argv.slice(2)
const input = readFileSync(path)
const limits = maxPixels ? { limits: { maxPixels: Number(maxPixels) } } : {}
const pixel = readFileSync(new URL('../../fixtures/pixel.png', import.meta.url))
const peak = () => process.resourceUsage().maxRSS / 1024

/** The code of the error, or the size as shown. */
const outcome = call =>
  call.then(
    answer => (typeof answer === 'number' ? 'scored' : `${answer.width} × ${answer.height}`),
    error => (error.limit ? `${error.code} ${error.limit}` : error.code),
  )

await pixrace.optimize(pixel)
await pixrace.score(pixel, pixel)
const before = peak()
const optimize = await outcome(pixrace.optimize(input, limits))
const inspect = await outcome(pixrace.inspect(input))
const score = await outcome(pixrace.score(input, input))
process.send({ optimize, inspect, score, grown: peak() - before })
process.disconnect()
