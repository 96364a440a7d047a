// Child process of avif-fuzz.test.mjs and scripts/fuzz.mjs: decodes mutants of AVIF files and prints one JSON line before
// each, so that the last line tells what a crash came of, and at the end how many ended how. Arguments: the number of the
// first mutant, how many, 'inspect' to read each header too or 'decode', and the files that they are mutants of.
import { readFileSync, writeSync } from 'node:fs'
import pixrace from '../../index.js'
import { mutant } from './avif-mutants.mjs'

const [first, count, mode, ...names] = process.argv.slice(2)
const files = names.map(name => readFileSync(name))

/** What encodes quickest: decoding is what matters. */
const options = {
  formats: ['jpeg'],
  quality: 10,
  flatten: '#ffffff',
  effort: 'fast',
  keepOriginal: false,
  limits: { maxPixels: 1 << 20, timeoutMs: 60_000 },
}

/** Mutants in flight. */
const AT_ONCE = 16

const settled = promise => promise.then(() => 'done').catch(error => error.code ?? `no code: ${error.stack}`)
const EXPECTED = /^(done|ERR_PIXRACE_(CORRUPT_INPUT|UNSUPPORTED_INPUT|LIMIT_EXCEEDED|NO_CANDIDATE))$/
const outcomes = {}
const untyped = []

async function run(seed) {
  const file = mutant(files[seed % files.length], seed)
  const header = mode === 'inspect' ? await settled(pixrace.inspect(file)) : null
  const outcome = await settled(pixrace.optimize(file, options))
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  // A header that cannot be read has no pixels either, and for the same reason.
  const agrees = header === null || header === 'done' || header === outcome
  if (!EXPECTED.test(outcome) || !agrees) untyped.push({ seed, header, outcome })
}

const end = Number(first) + Number(count)
for (let seed = Number(first); seed < end; seed += AT_ONCE) {
  const seeds = Array.from({ length: Math.min(AT_ONCE, end - seed) }, (_, index) => seed + index)
  writeSync(1, `${JSON.stringify({ seed, count: seeds.length })}\n`)
  await Promise.all(seeds.map(run))
}
writeSync(1, `${JSON.stringify({ outcomes, untyped, peakMiB: process.resourceUsage().maxRSS / 1024 })}\n`)
