// Run by workers.test.mjs: does the row that the first argument names and ends, with nothing left to do, with the row's code.
import assert from 'node:assert/strict'
import { CODE, rows } from './worker-rows.mjs'

process.disconnect()
const [name, expected] = process.argv.slice(2)
const answers = await rows[name]()
assert.ok(answers.length > 0)
assert.deepEqual(new Set(answers), new Set([expected]))
process.exitCode = CODE
