// Shows that nothing leaks and that waiting is cheap, by the resident memory of a process of its own: after a warm-up it
// stays flat over thousands of calls, refused and aborted ones included, and many calls in flight take little more than
// the two that may run. The bounds come from measuring: flat is below 2 MiB here, 8 MiB while other work ran, and a leak of
// the smallest thing that a call owns, its input of 5 KB, would be 16 MiB. Sixty-four calls in flight take 45 MiB more than
// two at a time.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import sharp from 'sharp'
import { askChild } from './support/child.mjs'
import { fixture } from './support/fixtures.mjs'
import { growth } from './support/growth.mjs'

const MIB = 2 ** 20
const CALLS = 4800
const WARM_UP_SAMPLES = 20
const MOST_GROWTH_MIB = 12

const LARGE = { width: 1600, height: 1250 }
const IN_FLIGHT = 64
// Answers that wait for the garbage collector, and the allocator's own slack.
const SLACK_MIB = 48

const folder = mkdtempSync(join(tmpdir(), 'pixrace-memory-'))
const small = join(folder, 'small.png')
const large = join(folder, 'large.jpg')

const ask = (...args) => askChild('child-memory.mjs', { args, flags: ['--expose-gc'], env: { PIXRACE_THREADS: '2' } })

describe('resident memory', () => {
  before(async () => {
    writeFileSync(small, await sharp(fixture('photo.jpg')).resize(64, 48).png().toBuffer())
    writeFileSync(large, await sharp(fixture('photo.jpg')).resize(LARGE).jpeg({ quality: 85 }).toBuffer())
  })
  after(() => rmSync(folder, { recursive: true }))

  for (const [job, title] of [
    ['leak', 'calls that succeed'],
    ['refusals', 'calls that fail'],
  ]) {
    it(`stays flat over thousands of ${title}`, async () => {
      const { samples } = await ask(job, small, CALLS)
      const grown = growth(samples, WARM_UP_SAMPLES)
      assert.ok(grown < MOST_GROWTH_MIB, `${grown} MiB in ${samples.map(Math.round)}`)
    })
  }

  it('is not needed by calls that wait', async () => {
    const { before: least, pairs, all } = await ask('flight', large, IN_FLIGHT)
    // Each holds a copy of its input. The decoded pixels of all, if waiting calls held them, would be 366 MiB.
    const mostAllowed = pairs + (2 * IN_FLIGHT * statSync(large).size) / MIB + SLACK_MIB
    assert.ok(all < mostAllowed, `${least} MiB before, ${pairs} with two at a time, ${all} with ${IN_FLIGHT} at once`)
  })
})
