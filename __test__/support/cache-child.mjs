// One of several processes on one cache folder: `<what> <folder> <rounds>`, where `what` is
// - 'strict': writes and reads the same entries as everybody; what it has written it must find again;
// - 'prune': the same, but everybody empties the folder now and then, so an entry may be missing;
// - 'write': writes until it is killed.
import assert from 'node:assert/strict'
import { openCache } from '../../esm/cache/index.js'
import { encoded, keyOf } from './cache.mjs'

const [what, dir, rounds] = process.argv.slice(2)
const KEYS = 12
// Several writes of the kernel each, so that a reader could see a half of one.
const SIZES = [300_000, 200_000]

const cache = openCache({ dir, maxBytes: what === 'prune' ? 0 : 2 ** 30 }, '/')
const entries = await Promise.all(
  Array.from({ length: KEYS }, async (_, seed) => ({ key: await keyOf(seed), value: encoded(seed, SIZES) })),
)

async function exchange() {
  const { key, value } = entries[Math.floor(Math.random() * KEYS)]
  const before = await cache.get(key)
  if (before) assert.deepEqual(before, value)
  await cache.set(key, value)
  const after = await cache.get(key)
  if (after || what === 'strict') assert.deepEqual(after, value)
}

process.send('started')
if (what === 'write') {
  for (let at = 0; ; at++) await cache.set(entries[at % KEYS].key, entries[at % KEYS].value)
}
for (let round = 0; round < Number(rounds); round++) {
  await exchange()
  if (what === 'prune' && round % 5 === 0) await cache.prune()
}
assert.deepEqual(cache.failures, [])
process.disconnect()
