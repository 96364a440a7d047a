// Child process of avif-fuzz.test.mjs and scripts/fuzz.mjs: decodes mutants of AVIF files and prints one JSON line before
// each, so that the last line tells what a crash came of, and at the end how many ended how. Arguments: the number of the
// first mutant, how many, 'inspect' to read each header too or 'decode', and the files that they are mutants of.
import { readFileSync, writeSync } from 'node:fs'
import pixrace from '../../index.js'
import { mutant } from './avif-mutants.mjs'

const [first, count, mode, ...names] = process.argv.slice(2)
const files = names.map(name => readFileSync(name))

/** Where a mutant has no picture, it costs next to nothing to say so; where it has one, to encode it. */
const options = {
  formats: ['png'],
  effort: 'fast',
  keepOriginal: false,
  limits: { maxPixels: 1 << 20, timeoutMs: 60_000 },
}

const settled = promise => promise.then(() => 'done').catch(error => error.code ?? `no code: ${error.stack}`)
const outcomes = {}
const untyped = []
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  writeSync(1, `${JSON.stringify({ seed })}\n`)
  const file = mutant(files[seed % files.length], seed)
  const header = mode === 'inspect' ? await settled(pixrace.inspect(file)) : 'not asked'
  const outcome = await settled(pixrace.optimize(file, options))
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  const expected = /^(done|ERR_PIXRACE_(CORRUPT_INPUT|UNSUPPORTED_INPUT|LIMIT_EXCEEDED|NO_CANDIDATE))$/
  if (!expected.test(outcome) || (mode === 'inspect' && !expected.test(header))) untyped.push({ seed, header, outcome })
  if (header.startsWith('ERR') && header !== outcome) untyped.push({ seed, header, outcome })
}
writeSync(1, `${JSON.stringify({ outcomes, untyped, peakMiB: process.resourceUsage().maxRSS / 1024 })}\n`)
