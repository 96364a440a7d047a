// `npm run bench`: every figure of "fast" as a ratio of things measured side by side in one run. It judges, but never
// fails: a benchmark on a busy machine says nothing about the code.
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import { openCorpus } from './lib/corpus.mjs'
import { DEFAULT_FLOOR } from './lib/floor.mjs'
import { machine, threads } from './lib/machine.mjs'

import { caseText, machineText, writePlots, writeReadme } from './lib/report.mjs'

// Other tools come last: their threads must not be there while pixrace is measured alone.
const CASES = [
  'threads',
  'batch',
  'tiny',
  'sizes',
  'loop',
  'quality',
  'goals',
  'verify',
  'many',
  'resize',
  'build',
  'server',
  'peers',
]
const LEAST_ROUNDS = 5
const USAGE = `npm run bench -- [case …] [--rounds N] [--quick] [--floor N] [--json FILE] [--write]
  case      ${CASES.join(', ')}; all of them if none is named
  --rounds  rounds that a median is taken from (${LEAST_ROUNDS})
  --quick   few images, one round: to try the benchmark itself
  --floor   the score, 1 to 100, that every file in the case "peers" has to reach (${DEFAULT_FLOOR})
  --json    writes the results to FILE
  --write   puts the results into benchmark/README.md, plots beside it; needs ${LEAST_ROUNDS} rounds`

function readArguments() {
  const options = {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    floor: { type: 'string', default: String(DEFAULT_FLOOR) },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : LEAST_ROUNDS))
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds must be a positive integer, not ${values.rounds}.`)
  const floor = Number(values.floor)
  if (!(floor >= 1 && floor <= 100)) throw new Error(`--floor must be a score of 1 to 100, not ${values.floor}.`)
  const unknown = positionals.find(name => !CASES.includes(name))
  if (unknown) throw new Error(`There is no case "${unknown}".`)
  const chosen = positionals.length > 0 ? CASES.filter(name => positionals.includes(name)) : CASES
  const asPublished = !values.quick && rounds >= LEAST_ROUNDS && floor === DEFAULT_FLOOR
  if (values.write && !asPublished) {
    throw new Error(`--write needs at least ${LEAST_ROUNDS} rounds and the default floor.`)
  }
  return { ...values, rounds, floor, chosen }
}

// Says what is going on: on a terminal in a line that the results overwrite, else line by line.
function progressOf(name) {
  if (!process.stderr.isTTY) return { show: text => process.stderr.write(`${name}: ${text}\n`), clear: () => {} }
  return {
    show: text => process.stderr.write(`\r\x1b[K${name}: ${text} …`),
    clear: () => process.stderr.write('\r\x1b[K'),
  }
}

async function runCase(name, context) {
  const { title, run } = await import(`./cases/${name}.mjs`)
  const { show, clear } = progressOf(name)
  show('warming up')
  const start = performance.now()
  const result = await run({ ...context, progress: show })
  clear()
  const found = { name, title, seconds: Math.round((performance.now() - start) / 1000), ...result }
  console.log(caseText(found))
  return found
}

async function main({ chosen, rounds, quick, floor, json, write }) {
  const found = machine()
  const corpus = openCorpus()
  console.log(`${machineText(found)}\nPictures: ${corpus.source}.`)
  const from = rounds === 1 ? 'one round only' : `medians of ${rounds} rounds, with their range`
  console.log(`Figures: ${from}; less is better.\n`)
  const cases = []
  for (const name of chosen) cases.push(await runCase(name, { rounds, quick, floor, write, threads, corpus }))
  const judgements = cases.flatMap(({ figures }) => figures).filter(({ passed }) => passed !== undefined)
  const seconds = cases.reduce((sum, { seconds: part }) => sum + part, 0)
  console.log(`${judgements.filter(({ passed }) => passed).length} of ${judgements.length} bars passed, ${seconds} s.`)
  const report = { machine: found, source: corpus.source, rounds, cases }
  if (json) fs.writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  if (write) {
    const names = chosen.length === CASES.length ? [] : chosen
    const options = rounds === LEAST_ROUNDS ? ['--write'] : [`--rounds ${rounds}`, '--write']
    writeReadme({ ...report, command: ['npm run bench --', ...names, ...options].join(' '), order: CASES })
    writePlots(cases)
  }
}

let options
try {
  options = readArguments()
} catch (error) {
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
if (options?.help) console.log(USAGE)
else if (options) await main(options)
