// A script of this folder in a Node process of its own, so that its settings, threads and memory are nobody else's.
import { fork } from 'node:child_process'

// Longer than any of the scripts takes on a busy machine: a script that hangs fails its test instead of the whole run.
const HANG_MS = 240_000

/**
 * Starts `support/<name>` with arguments, environment variables on top of this process's, Node flags and the program of
 * another Node. Gives the process and `ended`, a promise of `{ code, signal, output, errors, messages }`: how it ended,
 * what it wrote, and what it sent by `process.send`.
 */
export function startChild(name, { args = [], env = {}, flags = [], node = process.execPath } = {}) {
  const script = new URL(name, import.meta.url)
  const child = fork(script, args.map(String), {
    env: { ...process.env, ...env },
    execArgv: flags,
    execPath: node,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
  })
  const [output, errors, messages] = [[], [], []]
  child.stdout.on('data', data => output.push(data))
  child.stderr.on('data', data => errors.push(data))
  child.on('message', message => messages.push(message))
  const text = parts => Buffer.concat(parts).toString()
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code, signal, output: text(output), errors: text(errors), messages })
    })
  })
  return { child, ended }
}

/** Runs such a script to its end and gives the last message it sent. Throws if it did not end with code 0. */
export async function askChild(name, settings) {
  const { code, signal, errors, messages } = await startChild(name, settings).ended
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? code}: ${errors}`)
  return messages.at(-1)
}
