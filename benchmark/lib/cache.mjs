// What was found once and is dear to find again, in a JSON file that `npm install` may throw away.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../node_modules/.cache/pixrace-bench/peers.json', import.meta.url))

export const digest = bytes => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

function read() {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    // Absent or unreadable: start anew.
    return {}
  }
}

/** Reads, changes and replaces the file at once: a run that is stopped loses nothing, two may run side by side. */
function update(change) {
  const entries = read()
  change(entries)
  fs.mkdirSync(dirname(file), { recursive: true })
  fs.writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(entries, null, 1)}\n`)
  fs.renameSync(`${file}.${process.pid}`, file)
}

/** The value that `find` gave for this key some time, or gives now. */
export async function cached(parts, find) {
  const key = parts.join(' | ')
  const known = read()[key]
  if (known !== undefined) return known
  const value = await find()
  update(entries => {
    entries[key] = value
  })
  return value
}

/** Forgets a value that turned out to hold no longer. */
export function forget(parts) {
  update(entries => {
    delete entries[parts.join(' | ')]
  })
}
