// Child process of determinism.test.mjs: reads `[{ key, file, options }]` from its standard input, runs each job with
// `optimize`, and prints `{ key: digest of every byte of the answer }`. The size of the thread pool comes from
// PIXRACE_THREADS, which a process reads once.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import pixrace from '../../index.js'

/** Format, outcome and SHA-256 of every candidate, and of the winner; the placeholder, if there is one. */
export function digest({ data, candidates, placeholder }) {
  const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')
  const each = candidates.map(({ format, outcome, data }) => `${format} ${outcome} ${data ? sha256(data) : '-'}`)
  return [`winner ${sha256(data)}`, ...each, placeholder ?? 'no placeholder'].join('\n')
}

async function main() {
  const digests = {}
  for (const { key, file, options } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    digests[key] = digest(await pixrace.optimize(fs.readFileSync(file), options))
  }
  console.log(JSON.stringify(digests))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
