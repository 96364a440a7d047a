// Longer runs of the fuzz targets: `npm run fuzz -- avif 200000 [first]`. Prints how many mutants ended how, and fails if a
// child process broke off or a mutant ended with an error of no expected kind. `first` is the number of the first mutant.
import { fuzz } from '../__test__/support/avif-fuzz.mjs'

const [target, count, first = '0'] = process.argv.slice(2)
if (target !== 'avif' || !Number.isInteger(Number(count)) || !Number.isInteger(Number(first))) {
  console.error('usage: npm run fuzz -- avif COUNT [FIRST]')
  process.exit(2)
}

/** Mutants of a child process. */
const BATCH = 2000

const started = Date.now()
const total = {}
let faults = 0
await fuzz({ first: Number(first), count: Number(count), batch: BATCH }, ({ status, signal, last, stderr }) => {
  if (status !== 0 || stderr) {
    faults++
    console.log(`a child ended with ${signal ?? status} behind ${JSON.stringify(last)}: ${stderr}`)
  }
  for (const fault of last.untyped ?? []) {
    faults++
    console.log(JSON.stringify(fault))
  }
  for (const [outcome, times] of Object.entries(last.outcomes ?? {})) total[outcome] = (total[outcome] ?? 0) + times
  const done = Object.values(total).reduce((sum, times) => sum + times, 0)
  console.log(`${done} mutants in ${Math.round((Date.now() - started) / 1000)} s: ${JSON.stringify(total)}`)
})
process.exit(faults > 0 ? 1 : 0)
