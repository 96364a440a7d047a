// Run by threads.test.mjs: ends while calls are in flight, in the way that the first argument says.
import { readFileSync } from 'node:fs'
import pixrace from '../../index.js'

process.disconnect()
const [way, milliseconds] = process.argv.slice(2)
const input = readFileSync(new URL('../../fixtures/photo.jpg', import.meta.url))
const { signal } = new AbortController()

if (way === 'naturally') {
  // Nothing but the promise keeps this process alive.
  pixrace.optimize(input, { effort: 'fast' }).then(result => console.log(`done: ${result.candidates.length}`))
} else {
  for (const concurrency of [1, 2, 1, 2]) pixrace.optimize(input, { concurrency, signal })
  for (let call = 0; call < 4; call++) pixrace.optimize(input, { signal })
  pixrace.score(input, input)
  setTimeout(() => {
    if (way === 'throwing') throw new Error('on purpose')
    process.exit(7)
  }, Number(milliseconds))
}
