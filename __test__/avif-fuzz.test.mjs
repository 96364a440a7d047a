// AVIF files that are wrong in their structure end with a typed error or a picture, never with the process. Longer:
// `npm run fuzz -- avif 200000`. Needs no corpus.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from './support/avif-fuzz.mjs'

const MUTANTS = 1500

/** Measured: 110 MiB. Headers of these small files announce up to a million pixels. */
const MOST_MEMORY_MIB = 512

test('mutants of AVIF files end with a typed error or a picture', async t => {
  await fuzz({ count: MUTANTS, mode: 'inspect' }, ({ status, signal, last, stderr }) => {
    assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' }, JSON.stringify(last))
    t.diagnostic(JSON.stringify(last.outcomes))
    assert.deepEqual(last.untyped, [])
    assert.equal(
      Object.values(last.outcomes).reduce((sum, times) => sum + times, 0),
      MUTANTS,
    )
    for (const outcome of ['done', 'ERR_PIXRACE_CORRUPT_INPUT', 'ERR_PIXRACE_UNSUPPORTED_INPUT'])
      assert.ok(last.outcomes[outcome] > MUTANTS / 100, outcome)
    assert.ok(last.peakMiB < MOST_MEMORY_MIB, `${last.peakMiB} MiB`)
  })
})
