// The licence gate: what may be shipped inside the addon, and what must never slip through.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLicences, isAllowed } from '../scripts/licences.mjs'

test('permissive licences are allowed, alone and combined', () => {
  const allowed = [
    ...['MIT', 'Apache-2.0', 'Unicode-3.0', 'MIT/Apache-2.0', 'IJG AND Zlib AND BSD-3-Clause'],
    ...['(MIT OR Apache-2.0) AND Unicode-3.0', 'Apache-2.0 WITH LLVM-exception', '((MIT))'],
  ]
  for (const expression of allowed) assert.equal(isAllowed(expression), true, expression)
})

test('copyleft is refused, wherever it stands', () => {
  const refused = [
    ...['GPL-3.0-only', 'GPL-2.0+', 'AGPL-3.0-or-later', 'LGPL-2.1', 'MPL-2.0', 'MIT AND GPL-3.0-only'],
    ...['(MIT OR Apache-2.0) AND MPL-2.0', 'GPL-2.0 WITH Classpath-exception-2.0', 'GPL-3.0 OR AGPL-3.0'],
    ...['Apache-2.0 WITH Some-exception', 'MIT AND (GPL-2.0 OR MPL-2.0)'],
  ]
  for (const expression of refused) assert.equal(isAllowed(expression), false, expression)
})

test('copyleft is accepted where an allowed licence may be chosen instead', () => {
  for (const expression of [
    'GPL-3.0 OR MIT',
    'MPL-2.0/MIT',
    'MIT AND (GPL-2.0 OR ISC)',
    'AGPL-3.0 OR GPL-3.0 OR 0BSD',
  ]) {
    assert.equal(isAllowed(expression), true, expression)
  }
})

test('AND binds tighter than OR', () => {
  assert.equal(isAllowed('MIT OR GPL-3.0 AND MPL-2.0'), true)
  assert.equal(isAllowed('(MIT OR GPL-3.0) AND MPL-2.0'), false)
})

test('what is no expression is refused', () => {
  const broken = ['', 'MIT OR', '(MIT', 'MIT)', 'MIT Apache-2.0', 'OR MIT', 'MIT WITH', 'MIT or GPL-3.0', 'MIT,GPL-3.0']
  for (const expression of broken) assert.equal(isAllowed(expression), false, expression)
})

test('the chosen licences are the ones to comply with', () => {
  assert.deepEqual(chooseLicences('Apache-2.0 OR MIT'), ['MIT'])
  assert.deepEqual(chooseLicences('GPL-3.0 OR Apache-2.0'), ['Apache-2.0'])
  assert.deepEqual(chooseLicences('(MIT OR Apache-2.0) AND Unicode-3.0'), ['MIT', 'Unicode-3.0'])
})
