// No byte of any candidate depends on the number of threads, on the time or on what ran before. The same jobs run in
// child processes whose pools have 1, 2, 3, 5 and 8 threads, whatever the machine has, and in the one of 8 threads once
// more with every `concurrency`; the digests of all files have to be those of the first child.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { corpusFiles, root, withCorpus } from './support/corpus.mjs'
import { digest } from './support/digests.mjs'
import { fixture } from './support/fixtures.mjs'

const SMALL = [
  'photo.png',
  'photo.jpg',
  'photo.webp',
  'logo-alpha.png',
  'grey.png',
  'palette-alpha.png',
  'rgb16.png',
  'cmyk.jpg',
  'animated.gif',
]
const POOLS = [1, 2, 3, 5, 8]
const LIMITED = [{ concurrency: 1 }, { concurrency: 2 }, { concurrency: 3 }, { concurrency: 4 }, { concurrency: 8 }]

/** One file of every format. */
const ONCE = { quality: 80, strategy: 'all' }

/** The same of another size. */
const RESIZED = { formats: ['png', 'webp'], quality: 80, effort: 'fast' }
const LARGE_BOX = { width: 900, height: 1200, fit: 'contain', enlarge: true }

/** Enough for the AVIF encoder to cut a picture into several tiles, which is where threads could show. */
const LARGE_WIDTH = 1440

let folder
let jobs
let reference

/** The digests of all jobs in a process with that many threads. */
function digestsOf(jobs, threads) {
  const script = path.join(root, '__test__/support/digests.mjs')
  const env = { ...process.env, PIXRACE_THREADS: String(threads) }
  const child = spawnSync(process.execPath, [script], { input: JSON.stringify(jobs), encoding: 'utf8', env })
  assert.equal(child.status, 0, child.stderr)
  return JSON.parse(child.stdout)
}

/** The same jobs with more options. */
const withOptions = (jobs, more) => jobs.map(job => ({ ...job, options: { ...job.options, ...more } }))

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pixrace-determinism-'))
  const large = path.join(folder, 'large.png')
  fs.writeFileSync(large, await sharp(fixture('photo.jpg')).resize(LARGE_WIDTH).png().toBuffer())
  const small = SMALL.map(name => ({ name, file: path.join(root, 'fixtures', name) }))
  const job = ({ name, file }, options) => ({ key: `${name} ${JSON.stringify(options)}`, file, options })
  jobs = [
    // The race: which formats are abandoned is part of the digest.
    ...small.map(picture => job(picture, { effort: 'fast' })),
    ...small.map(picture => job(picture, ONCE)),
    ...small.filter(({ name }) => /rgb16|palette/.test(name)).map(picture => job(picture, { ...ONCE, effort: 'best' })),
    ...small.slice(2, 5).map(picture => job(picture, { maxBytes: 4000, effort: 'fast' })),
    job({ name: 'photo.png', file: small[0].file }, { lossless: true, strategy: 'all', metadata: 'keep' }),
    job({ name: 'large photo', file: large }, { ...ONCE, effort: 'fast' }),
    // Large enough that its scaling is shared out; with a placeholder of every kind of work.
    job({ name: 'large photo', file: large }, { ...RESIZED, resize: { width: 700 }, placeholder: 'blur' }),
    job({ name: 'logo', file: small[3].file }, { ...RESIZED, resize: LARGE_BOX, placeholder: 'thumbhash' }),
  ]
  reference = digestsOf(jobs, 1)
})

after(() => fs.rmSync(folder, { recursive: true, force: true }))

describe('the size of the pool changes no byte', () => {
  for (const threads of POOLS.slice(1)) {
    test(`${threads} threads`, () => assert.deepEqual(digestsOf(jobs, threads), reference))
  }
  withCorpus('a large photo of the corpus', ['photos'], () => {
    test('a large photo of the corpus', () => {
      const file = path.join(folder, 'corpus.png')
      fs.writeFileSync(file, corpusFiles('photos')[0].read())
      const job = { key: 'photo', file, options: { ...ONCE, formats: ['avif', 'png'] } }
      const alone = digestsOf([job], 1)
      for (const threads of [3, 8]) assert.deepEqual(digestsOf([job], threads), alone, `${threads} threads`)
    })
  })
})

describe('concurrency changes no byte', () => {
  for (const limited of [...LIMITED, { parallel: false }]) {
    test(JSON.stringify(limited), () => {
      assert.deepEqual(digestsOf(withOptions(jobs, limited), 8), reference)
    })
  }
})

describe('in one process', () => {
  test('a second run, many at once and optimizeSync give the same bytes', async () => {
    const some = jobs.filter(({ options }) => options.effort === 'fast')
    const expected = some.map(({ key }) => reference[key])
    const run = async ({ file, options }) => digest(await pixrace.optimize(fs.readFileSync(file), options))
    for (let round = 0; round < 2; round++) assert.deepEqual(await Promise.all(some.map(run)), expected)
    const sync = some.map(({ file, options }) => digest(pixrace.optimizeSync(fs.readFileSync(file), options)))
    assert.deepEqual(sync, expected)
  })
})
