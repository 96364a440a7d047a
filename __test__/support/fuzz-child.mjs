// Child process of fuzz.test.mjs: optimises and inspects every file of the fuzz folders, one after the other, with the
// concurrency given as argument (none: the default). Prints one JSON line per file as soon as it is done, so that the
// last line tells where a crash or a hang was, then one with the peak of its memory.
import { createHash } from 'node:crypto'
import pixrace from '../../index.js'
import { corpusFiles } from './corpus.mjs'

/** Far above what any file needs, even on a loaded machine. */
const TIMEOUT_MS = 60_000

const [concurrency] = process.argv.slice(2)
const options = { effort: 'fast', quality: 80, strategy: 'all', limits: { timeoutMs: TIMEOUT_MS } }
if (concurrency) options.concurrency = Number(concurrency)

const settled = promise =>
  promise.catch(error => ({ code: error.code ?? `no code: ${error.stack}`, error: error.message }))

function digest({ data, candidates }) {
  const hash = createHash('sha256').update(data)
  for (const candidate of candidates) hash.update(candidate.data ?? candidate.outcome)
  return hash.digest('hex')
}

for (const folder of ['fuzz/png', 'fuzz/jpeg']) {
  for (const { name, read } of corpusFiles(folder)) {
    const file = read()
    const header = await settled(pixrace.inspect(file))
    const result = await settled(pixrace.optimize(file, options))
    const line = { name: `${folder}/${name}`, header: header.code ?? 'read', code: result.code, error: result.error }
    if (result.data) Object.assign(line, { digest: digest(result), grew: result.data.length > file.length })
    console.log(JSON.stringify(line))
  }
}
console.log(JSON.stringify({ peakMiB: process.resourceUsage().maxRSS / 1024 }))
