// Files that fuzzers made to break JPEG and PNG decoders. All of them go through `inspect` and `optimize` in a child
// process, once on one thread and once on all: no crash, no hang, no panic, bounded memory; every one ends with a typed
// error or a result, and with the same one both times.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { root, withCorpus } from './support/corpus.mjs'

/** Measured: 75 MiB. Headers of these small files announce up to 19 million pixels, which would take more. */
const MOST_MEMORY_MIB = 512

/** A child that says nothing for so long hangs: its own calls time out after half of it. */
const SILENCE_MS = 120_000

const EXPECTED = ['ERR_PIXRACE_CORRUPT_INPUT', 'ERR_PIXRACE_UNSUPPORTED_INPUT', 'ERR_PIXRACE_LIMIT_EXCEEDED']

/** The lines of one child. */
async function runChild(...args) {
  const script = path.join(root, '__test__/support/fuzz-child.mjs')
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('exit', (status, signal) => resolve({ status, signal })))
  const lines = []
  let silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS)
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(silence)
    silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS)
    lines.push(JSON.parse(line))
  }
  clearTimeout(silence)
  assert.deepEqual(
    await ended,
    { status: 0, signal: null },
    `the child broke off behind ${JSON.stringify(lines.at(-1))}`,
  )
  return lines
}

function check(lines) {
  const { peakMiB } = lines.at(-1)
  const files = lines.slice(0, -1)
  assert.equal(files.length, 1336)
  const untyped = files.filter(({ code, header }) => {
    return (code && !EXPECTED.includes(code)) || (header !== 'read' && !EXPECTED.includes(header))
  })
  assert.deepEqual(untyped, [], 'crashes, timeouts and errors of no expected kind')
  // A header that cannot be read has no pixels either, and for the same reason.
  const disagreeing = files.filter(({ code, header }) => header !== 'read' && header !== code)
  assert.deepEqual(disagreeing, [], 'files that inspect refuses and optimize does not')
  assert.deepEqual(
    files.filter(({ grew }) => grew),
    [],
    'answers larger than their input',
  )
  assert.ok(files.some(({ digest }) => digest) && files.some(({ code }) => code), 'both results and errors')
  assert.ok(peakMiB < MOST_MEMORY_MIB, `peak of ${peakMiB} MiB`)
}

withCorpus('fuzzed files end with a typed error or a result', ['fuzz/png', 'fuzz/jpeg'], () => {
  test('fuzzed files end with a typed error or a result', async t => {
    let alone
    await t.test('on one thread', async () => {
      alone = await runChild('1')
      check(alone)
    })
    await t.test('on all threads, with the same outcomes', async () => {
      const together = await runChild()
      check(together)
      assert.deepEqual(together.slice(0, -1), alone.slice(0, -1))
    })
  })
})
