// Shows what an image server does under load, from another process: many images at once take a bounded amount of memory,
// too many are refused and none is lost, who hangs up frees its work, and whenever it is killed its cache stays whole.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import sharp from 'sharp'
import { openCache } from '../esm/cache/index.js'
import { startChild } from './support/child.mjs'
import { fixture } from './support/fixtures.mjs'

const SOURCES = 10
const SIZE = { width: 900, height: 675 }
const WIDTHS = Array.from({ length: 20 }, (_, index) => 80 + 8 * index)
/**
 * What 200 images at once may add to the peak of two at a time, in MiB. Measured: 33 to 50, for the sockets, the answers and
 * what the allocator keeps. Without a bound on what runs at once it is 290.
 */
const MOST_GROWTH_MIB = 96
/** Many times what anything here takes that is waited for. */
const HANGS_MS = 60_000
const KILLS = 100
/** Of what the writers write. */
const ENTRY_BYTES = 64 * 1024
/** A width that none of them gets to. */
const UNMADE = 65_535
const NOISE_WIDTH = 10_240

const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pixrace-load-')))
const images = join(root, 'public')
let folders = 0
const cacheFolder = () => join(root, `cache-${folders++}`)
const children = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  fs.rmSync(root, { recursive: true, force: true })
})

/** Pictures of a colour of their own and of some megabytes, in which every pixel differs a little from the next. */
before(async () => {
  fs.mkdirSync(images)
  const texture = await sharp(fixture('photo.jpg')).resize(SIZE).greyscale().raw().toBuffer()
  for (let source = 0; source < SOURCES; source++) {
    const color = tint(source)
    const tinted = Buffer.alloc(3 * texture.length)
    for (let at = 0; at < tinted.length; at++) {
      tinted[at] = (texture[Math.floor(at / 3)] >> 2) + color[at % 3] + ((at * 7919) % 13)
    }
    const picture = sharp(tinted, { raw: { ...SIZE, channels: 3 } }).png({ compressionLevel: 1 })
    await picture.toFile(join(images, `${source}.png`))
  }
  // Wider than all widths of the writers: what is enlarged by none is one entry for all.
  const size = { width: NOISE_WIDTH, height: 4, channels: 3 }
  const noise = { create: { ...size, noise: { type: 'gaussian', mean: 128, sigma: 60 } } }
  await sharp(noise).png().toFile(join(images, 'noise.png'))
})

const tint = source => [(source % 2) * 160, (Math.floor(source / 2) % 3) * 80, Math.floor(source / 6) * 160]

/** A server in a process of its own; `ask` sends it a message and gives its state. */
async function startServer(options) {
  const full = {
    roots: images,
    cache: { dir: cacheFolder() },
    effort: 'fast',
    concurrency: 2,
    widths: WIDTHS,
    ...options,
  }
  const { child } = startChild('server-child.mjs', { args: [JSON.stringify(full)] })
  children.push(child)
  const next = () => new Promise(resolve => child.once('message', resolve))
  const { port } = await next()
  const ask = message => {
    child.send(message)
    return next()
  }
  const until = async holds => {
    const giveUp = performance.now() + HANGS_MS
    for (;;) {
      const state = await ask('state')
      if (holds(state)) return state
      assert.ok(performance.now() < giveUp, `the server stays at ${JSON.stringify(state)}`)
      await sleep(10)
    }
  }
  return { child, port, ask, until }
}

/** Asks over a connection of its own. `answer` is null after `leave`. */
function get(port, { source, width }) {
  const path = `/?url=/${source}.png&w=${width}`
  const request = http.get({ port, host: '127.0.0.1', path, agent: false, headers: { accept: 'image/webp' } })
  const answer = new Promise((resolve, reject) => {
    request.on('error', error => (request.destroyed ? resolve(null) : reject(error)))
    request.on('response', response => {
      const chunks = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
  })
  return { answer, leave: () => request.destroy() }
}

/** So many distinct images. */
const distinct = count =>
  Array.from({ length: count }, (_, index) => ({
    source: index % SOURCES,
    width: WIDTHS[Math.floor(index / SOURCES)],
  }))

/** The picture that an answer shows: of all sources the one whose tint is nearest. */
async function sourceOf(body) {
  const { channels } = await sharp(body).stats()
  const base = await sharp(fixture('photo.jpg')).greyscale().stats()
  const level = base.channels[0].mean / 4 + 6
  const distance = source => tint(source).reduce((sum, part, at) => sum + (channels[at].mean - level - part) ** 2, 0)
  return distinct(SOURCES)
    .map(({ source }) => source)
    .sort((a, b) => distance(a) - distance(b))[0]
}

async function assertShows({ status, headers, body }, { source, width }) {
  assert.equal(status, 200)
  assert.equal(headers['content-length'], String(body.length))
  const found = await sharp(body).metadata()
  assert.deepEqual([found.format, found.width, await sourceOf(body)], ['webp', width, source])
}

const gaugesOf = ({ in_flight, running, queued }) => ({ in_flight, running, queued })
const IDLE = { in_flight: 0, running: 0, queued: 0 }

describe('an image server under load', () => {
  it('makes 200 distinct images at once, each the right one, in bounded memory', async () => {
    const { port, ask } = await startServer({ formats: ['webp', 'png'] })
    const [warm, wanted] = [distinct(8).map(image => ({ ...image, width: WIDTHS.at(-1) })), distinct(200)]
    for (let at = 0; at < warm.length; at += 2) {
      await Promise.all(warm.slice(at, at + 2).map(image => get(port, image).answer))
    }
    const { peakMib: pairs } = await ask('state')
    const answers = await Promise.all(wanted.map(image => get(port, image).answer))
    const { peakMib: all, ...state } = await ask('state')
    for (const [index, answer] of answers.entries()) await assertShows(answer, wanted[index])
    assert.deepEqual(gaugesOf(state), IDLE)
    // Those of the warm-up were kept.
    assert.equal(state.done.length, 200)
    assert.ok(all - pairs < MOST_GROWTH_MIB, `${pairs} MiB with two at a time, ${all} MiB with 200 at once`)
  })

  it('refuses exactly those beyond concurrency and queue, with Retry-After, and loses none', async () => {
    const room = 2 + 8
    const { port, ask, until } = await startServer({ maxQueue: 8 })
    await ask('hold')
    const wanted = distinct(60)
    const refused = []
    const answers = wanted.map(async image => {
      const found = await get(port, image).answer
      if (found.status === 503) refused.push(found)
      return found
    })
    await until(({ running, queued }) => refused.length + running + queued === wanted.length)
    assert.deepEqual(gaugesOf(await ask('state')), { in_flight: room, running: 2, queued: 8 })
    await ask('open')
    const all = await Promise.all(answers)
    const made = [...all.entries()].filter(([, { status }]) => status === 200)
    assert.deepEqual([made.length, refused.length], [room, wanted.length - room])
    for (const [index, answer] of made) await assertShows(answer, wanted[index])
    for (const { headers } of refused) {
      assert.match(headers['retry-after'], /^[1-9]\d*$/)
      assert.equal(headers['cache-control'], 'no-store')
    }
    // Who was refused may come again.
    const [, again] = await Promise.all([until(state => state.running === 0), get(port, wanted.at(-1)).answer])
    await assertShows(again, wanted.at(-1))
    assert.deepEqual(gaugesOf(await ask('state')), IDLE)
  })

  for (const [title, effort, held] of [
    ['that waits', 'fast', true],
    ['that the engine is at', 'best', false],
  ]) {
    it(`frees the work ${title} when its clients hang up`, async () => {
      // So wide that nothing is done by then.
      const widths = Array.from({ length: 40 }, (_, index) => SIZE.width - index)
      const { port, ask, until } = await startServer({ effort, widths: [...widths, WIDTHS[0]] })
      if (held) await ask('hold')
      const requests = new Map(widths.map(width => [width, get(port, { source: 0, width })]))
      const { begun } = await until(state => state.in_flight === 40 && state.begun.length === 2)
      const leave = async some => {
        for (const width of some) requests.get(width).leave()
        for (const width of some) assert.equal(await requests.get(width).answer, null)
      }
      // First those that wait: else the next begins before it is heard that its client left too.
      await leave(widths.filter(width => !begun.includes(width)))
      await until(state => isDeepStrictEqual(gaugesOf(state), { in_flight: 2, running: 2, queued: 0 }))
      await leave(begun)
      const state = await until(now => isDeepStrictEqual(gaugesOf(now), IDLE))
      assert.deepEqual([state.begun, state.done], [begun, []])
      if (held) await ask('open')
      await assertShows(await get(port, distinct(1)[0]).answer, distinct(1)[0])
    })
  }
})

describe('a cache that an image server writes to', () => {
  const filesOf = dir => fs.readdirSync(dir).flatMap(name => fs.readdirSync(join(dir, name)))
  const widthOf = round => 1 + round * 100

  async function kill(dir, round) {
    const { child, ended } = startChild('server-writer-child.mjs', { args: [images, dir, widthOf(round)] })
    await new Promise(resolve => child.once('message', resolve))
    await sleep(Math.random() * 20)
    child.kill('SIGKILL')
    assert.equal((await ended).signal, 'SIGKILL')
  }

  it(`has only whole entries after ${KILLS} kills, and serves them`, async () => {
    const dir = cacheFolder()
    // Two at a time: the other writes on.
    for (let round = 0; round < KILLS; round += 2) await Promise.all([kill(dir, round), kill(dir, round + 1)])
    const names = filesOf(dir)
    const entries = names.filter(name => /^[0-9a-f]{64}$/.test(name))
    assert.ok(entries.length >= KILLS, `${entries.length} entries`)
    assert.ok(entries.length < names.length, 'no kill met a write')
    const cache = openCache({ dir }, root)
    for (const key of entries) assert.equal((await cache.get(key))?.images[0].data.length, ENTRY_BYTES, key)
    assert.deepEqual([cache.failures, filesOf(dir).length], [[], names.length])
    await assertServes(dir)
  })

  async function assertServes(dir) {
    const widths = Array.from({ length: KILLS }, (_, round) => widthOf(round))
    // With the engine's defaults, as they had it: they are part of an entry's name.
    const { port } = await startServer({ cache: { dir }, effort: undefined, widths: [...widths, UNMADE] })
    for (const width of widths) {
      const { status, headers, body } = await get(port, { source: 'noise', width }).answer
      assert.deepEqual([status, headers['x-pixrace-cache'], body.length], [200, 'CACHE', ENTRY_BYTES])
    }
    const { headers, body } = await get(port, { source: 'noise', width: UNMADE }).answer
    assert.deepEqual([headers['x-pixrace-cache'], (await sharp(body).metadata()).width], ['MADE', NOISE_WIDTH])
  }
})
