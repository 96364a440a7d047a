// `npm run bench`: every figure of "fast" as a ratio of things measured side by side in one run. It judges, but never
// fails: a benchmark on a busy machine says nothing about the code.
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import { openCorpus } from './lib/corpus.mjs'
import { machine, threads } from './lib/machine.mjs'
import { caseText, machineText, writeReadme } from './lib/report.mjs'

// Other tools come last: their threads must not be there while pixrace is measured alone.
const CASES = ['threads', 'batch', 'tiny', 'loop', 'quality', 'peers']
const LEAST_ROUNDS = 5
const USAGE = `npm run bench -- [case …] [--rounds N] [--quick] [--json FILE] [--write]
  case      ${CASES.join(', ')}; all of them if none is named
  --rounds  rounds that a median is taken from (${LEAST_ROUNDS})
  --quick   few images, one round: to try the benchmark itself
  --json    writes the results to FILE
  --write   puts the results into benchmark/README.md; needs every case and ${LEAST_ROUNDS} rounds`

function readArguments() {
  const options = {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : LEAST_ROUNDS))
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds must be a positive integer, not ${values.rounds}.`)
  const unknown = positionals.find(name => !CASES.includes(name))
  if (unknown) throw new Error(`There is no case "${unknown}".`)
  const chosen = positionals.length > 0 ? CASES.filter(name => positionals.includes(name)) : CASES
  if (values.write && (values.quick || rounds < LEAST_ROUNDS || chosen.length < CASES.length)) {
    throw new Error(`--write needs every case and at least ${LEAST_ROUNDS} rounds.`)
  }
  return { ...values, rounds, chosen }
}

// Says on a terminal what is going on, in a line that the results overwrite.
function progressOf(name) {
  if (!process.stderr.isTTY) return { show: () => {}, clear: () => {} }
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

async function main({ chosen, rounds, quick, json, write }) {
  const found = machine()
  const corpus = openCorpus()
  console.log(`${machineText(found)}\nPictures: ${corpus.source}.`)
  const from = rounds === 1 ? 'one round only' : `medians of ${rounds} rounds, with their range`
  console.log(`Figures: ${from}; less is better.\n`)
  const cases = []
  for (const name of chosen) cases.push(await runCase(name, { rounds, quick, threads, corpus }))
  const judgements = cases.flatMap(({ figures }) => figures).filter(({ passed }) => passed !== undefined)
  const seconds = cases.reduce((sum, { seconds: part }) => sum + part, 0)
  console.log(`${judgements.filter(({ passed }) => passed).length} of ${judgements.length} bars passed, ${seconds} s.`)
  const report = { machine: found, source: corpus.source, rounds, cases }
  if (json) fs.writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  const command = `npm run bench -- ${rounds === LEAST_ROUNDS ? '' : `--rounds ${rounds} `}--write`
  if (write) writeReadme({ ...report, command })
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
