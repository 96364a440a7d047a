// Finds the corpus of public images, which lies outside this repository: where PIXRACE_CORPUS says, or else in
// `../shared/corpus` beside the checkout. Tests that need it are left out, with one line that says so, where it is
// missing; a PIXRACE_CORPUS that leads nowhere is an error.
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

const configured = process.env.PIXRACE_CORPUS
const corpus = configured ? path.resolve(configured) : path.resolve(root, '../shared/corpus')

/** Whether all these folders of the corpus are there. */
export function hasCorpus(...folders) {
  const missing = folders.filter(folder => !fs.existsSync(path.join(corpus, folder)))
  if (configured && missing.length > 0) throw new Error(`PIXRACE_CORPUS has no ${missing.join(', ')}: ${corpus}`)
  return missing.length === 0
}

/** Calls `define` to define tests if all these folders are there; else defines one that is skipped and names the folders. */
export function withCorpus(what, folders, define) {
  if (hasCorpus(...folders)) return define()
  const reason = `no corpus (${folders.join(', ')}); PIXRACE_CORPUS may say where it is`
  return test(what, { skip: reason }, () => {})
}

/** The files of a folder of the corpus, by name: `{ name, read }`, where `read()` gives the bytes. */
export function corpusFiles(folder) {
  const from = path.join(corpus, folder)
  return fs
    .readdirSync(from)
    .sort()
    .map(name => ({ name, read: () => fs.readFileSync(path.join(from, name)) }))
}

/** `Promise.all(items.map(work))` with at most `limit` at work. */
export async function mapBounded(items, limit, work) {
  const results = new Array(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index], index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
