// Shows that worker threads may come and go: whichever thread loads the addon first, whether it ends before, after or in the
// middle of the calls of others, the others get the right files and the process ends as it wants to. Every row of the table
// in support/worker-rows.mjs has a process of its own. PIXRACE_TEST_NODES may name the programs of further versions of Node,
// separated as in PATH, which then go through the table too; PIXRACE_TEST_ROUNDS says how often (once).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { describe, it } from 'node:test'
import pixrace from '../index.js'
import { startChild } from './support/child.mjs'
import { CODE, digest, INPUT, OPTIONS, rows } from './support/worker-rows.mjs'

const NODES = [process.execPath, ...(process.env.PIXRACE_TEST_NODES ?? '').split(delimiter).filter(Boolean)]
const ROUNDS = Number(process.env.PIXRACE_TEST_ROUNDS ?? 1)

const expected = digest((await pixrace.optimize(INPUT, OPTIONS)).data)

for (const node of NODES) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  for (let round = 1; round <= ROUNDS; round++) {
    describe(`Node ${version} survives, in round ${round},`, () => {
      for (const name of Object.keys(rows)) {
        it(name, async () => {
          const { code, signal, errors } = await startChild('child-workers.mjs', { args: [name, expected], node }).ended
          assert.deepEqual([code, signal, errors], [CODE, null, ''])
        })
      }
    })
  }
}
