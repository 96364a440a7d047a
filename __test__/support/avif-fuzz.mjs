// Runs a child process over mutants of AVIF files.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { seeds } from './avif-seeds.mjs'

/** A child that says nothing for so long hangs: its own calls time out after half of it. */
const SILENCE_MS = 120_000

/** How it ended, the last mutant that it began, and what it counted if it came to its end. */
async function runChild(first, count, mode, names) {
  const script = fileURLToPath(new URL('avif-fuzz-child.mjs', import.meta.url))
  const args = [script, String(first), String(count), mode, ...names]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise(resolve => child.once('exit', (status, signal) => resolve({ status, signal })))
  let stderr = ''
  child.stderr.on('data', text => {
    stderr += text
  })
  let last = null
  const silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS)
  for await (const line of createInterface({ input: child.stdout })) {
    silence.refresh()
    last = line
  }
  clearTimeout(silence)
  return { ...(await ended), last: JSON.parse(last), stderr }
}

/** Works through mutants `first` to `first + count`, in children of `batch` each, and hands each child's end to `each`. */
export async function fuzz({ first = 0, count, batch = count, mode = 'decode' }, each) {
  const folder = mkdtempSync(path.join(tmpdir(), 'pixrace-avif-'))
  try {
    const files = Object.values(await seeds())
    const names = files.map((file, index) => {
      const name = path.join(folder, `${index}.avif`)
      writeFileSync(name, file)
      return name
    })
    for (let start = first; start < first + count; start += batch) {
      await each(await runChild(start, Math.min(batch, first + count - start), mode, names))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
