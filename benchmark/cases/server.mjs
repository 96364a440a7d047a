// What images on demand cost: from memory beside a static buffer, and made for the first request beside `next start`'s own
// optimizer, on the same photos, widths and `Accept`.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { described } from '../lib/build-site.mjs'
import { spread } from '../lib/corpus.mjs'
import { coldRound, nextSide, openSides, ownSide, VARIANTS, WIDTHS } from '../lib/server-sides.mjs'
import { ACCEPT, buildApp, getImage, hasWrk, requestsPerSecond, startServer } from '../lib/server-tools.mjs'
import { figure, judged, mean, median, milliseconds, ratios } from '../lib/stats.mjs'

export const title = 'Images on demand: a static buffer, and the optimizer of Next.js'

const PHOTOS = 4
/** As a camera or an editor saves them. */
const SOURCE_QUALITY = 92
const WRK_SECONDS = 2
/** Twice the time is half of the requests. */
const CACHED_BAR = 2
/** Of bytes and of first requests. */
const PEER_BAR = 1

const { version } = createRequire(import.meta.url)('next/package.json')

async function sitePhotos(corpus, quick) {
  const chosen = spread(corpus.photos, quick ? 1 : PHOTOS)
  return Promise.all(
    chosen.map(async ({ bytes }, i) => {
      return { name: `photo${i + 1}.jpg`, bytes: await sharp(bytes).jpeg({ quality: SOURCE_QUALITY }).toBuffer() }
    }),
  )
}

// Those of every answer of node:http, and those that the server adds itself.
const OWN_HEADERS = ['date', 'connection', 'keep-alive']

const secondsOf = quick => (quick ? 1 : WRK_SECONDS)

/** Three servers that have one image in memory, `{ name, port, path }`, and their `stop`s, added as they start. */
async function openCached(app, image, stops) {
  const start = async (name, begin, path) => {
    const { port, stop } = await begin()
    stops.push(stop)
    return { name, port, path }
  }
  const [own, next] = [ownSide(app, 'fast'), nextSide(app, VARIANTS[1])]
  const ours = await start('ours', own.start, own.pathOf(image))
  const theirs = await start('next', next.start, next.pathOf(image))
  await getImage(theirs.port, theirs.path)
  const { headers, body } = await getImage(ours.port, ours.path)
  const file = join(app, 'static-body')
  fs.writeFileSync(file, body)
  const same = Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name)))
  const fixed = await start('fixed', () => startServer({ headers: same, body: file }), ours.path)
  return { servers: [ours, fixed, theirs], bytes: body.length }
}

/** Requests a second in every round: `{ ours, fixed, next, bytes }`, `fixed` being the static buffer. */
async function cachedThroughput({ app, image, rounds, quick, progress }) {
  const stops = []
  try {
    const { servers, bytes } = await openCached(app, image, stops)
    // Compiled code is part of a server that runs.
    for (const { port, path } of servers) await requestsPerSecond(port, path, 1)
    const found = { ours: [], fixed: [], next: [], bytes }
    for (let round = 0; round < rounds; round++) {
      progress(`from memory, round ${round + 1} of ${rounds}`)
      for (const { name, port, path } of servers) {
        found[name].push(await requestsPerSecond(port, path, secondsOf(quick)))
      }
    }
    return found
  } finally {
    for (const stop of stops) await stop()
  }
}

const rate = values => Math.round(median(values)).toLocaleString('en')

function cachedFigures({ ours, fixed, next }) {
  const note = other => `${rate(ours)} against ${rate(other)} requests a second`
  // Time of ours to time of the other is its rate to ours.
  return [
    judged('from memory: time of a request, to a static buffer', ratios({ a: fixed, b: ours }), CACHED_BAR, {
      note: note(fixed),
    }),
    figure('from memory: time of a request, to Next', ratios({ a: next, b: ours }), { note: note(next) }),
  ]
}

const kilobytes = files => mean(files.map(({ bytes }) => bytes)) / 1000
/** Of each image the median of the rounds. */
const coldTimes = ({ times }) => times[0].map((_, i) => median(times.map(round => round[i])))

/** Bytes and times of ours at the scores of Next, image by image. */
function sameScoreFigures(side) {
  const { peer, setting } = side
  const bytes = side.sameScore.map((bytes, i) => bytes / peer.files[i].bytes)
  const [own, other] = [mean(side.sameScore) / 1000, kilobytes(peer.files)]
  const [ownTimes, otherTimes] = [side, peer].map(coldTimes)
  const times = ratios({ a: ownTimes, b: otherTimes })
  const note = `${milliseconds(median(ownTimes))} against ${milliseconds(median(otherTimes))}`
  const judgedHere = peer.judged === setting
  const label = what => `${setting}, ${what} at the same score, to ${peer.label}`
  return [
    figure(label('bytes'), bytes, {
      ...{ digits: 3, value: mean(bytes) },
      ...(judgedHere && { limit: PEER_BAR, passed: mean(bytes) <= PEER_BAR }),
      note: `${own.toFixed(1)} kB against ${other.toFixed(1)} kB`,
    }),
    judgedHere
      ? judged(label('first request'), times, PEER_BAR, { note })
      : figure(label('first request'), times, { note }),
  ]
}

function formatsOf(files) {
  const counts = new Map()
  for (const { format } of files) counts.set(format, (counts.get(format) ?? 0) + 1)
  return [...counts].map(([format, count]) => `${format} ${count}`).join(', ')
}

function sideTable(sides) {
  const row = side => {
    const scores = side.files.map(({ score }) => score)
    const times = coldTimes(side)
    return [
      ...[side.label, kilobytes(side.files).toFixed(1), mean(scores).toFixed(1), Math.min(...scores).toFixed(1)],
      ...[milliseconds(median(times)), milliseconds(Math.max(...times)), formatsOf(side.files)],
    ]
  }
  const head = ['server', 'mean kB', 'mean score', 'lowest', 'first request', 'slowest', 'formats']
  return { head, right: [1, 2, 3, 4, 5], rows: sides.map(row) }
}

function notes({ pictures, cached }) {
  const about = `photos that sharp saved at quality ${SOURCE_QUALITY} (${described(pictures)}) in ${WIDTHS.join(', ')} pixels`
  return [
    `Pictures: ${about}; Accept: ${ACCEPT}. Next ${version} with sharp ${sharp.versions.sharp}, built with webpack, \`next start\`; quality 75. By default it makes WebP; with \`formats: ['image/avif', 'image/webp']\` AVIF.`,
    'Scores are SSIMULACRA2 against the photo resized by sharp, as Next does it too; ours resizes a little differently. At the same score: each image with the least `q` at which it is no worse than the one of Next; for the ratio of bytes, between that file and the next worse one.',
    'First requests come one after the other to a server without any image, after one of another width; medians of the rounds. Ratios of bytes are means over the images, those of times medians; the range is that of the images.',
    cached
      ? `From memory: one photo in ${WIDTHS[0]} pixels (${Math.round(cached.bytes / 1000)} kB of ours), wrk with 16 connections, ${WRK_SECONDS} s in turns. The static buffer is sent by node:http with the same headers.`
      : 'Nothing from memory was measured: there is no wrk (`apt-get install wrk`).',
  ]
}

export async function run({ rounds, quick, corpus, progress }) {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'pixrace-bench-server-'))
  try {
    const pictures = await sitePhotos(corpus, quick)
    const images = pictures.flatMap(picture => WIDTHS.map(width => ({ ...picture, width })))
    progress('next build')
    await buildApp(folder, pictures)
    const cached = (await hasWrk())
      ? await cachedThroughput({ app: folder, image: images[0], rounds, quick, progress })
      : null
    const sides = await openSides(folder, images, progress)
    for (let round = 0; round < rounds; round++) {
      for (const side of sides) {
        progress(`${side.label}, round ${round + 1} of ${rounds}`)
        await coldRound(side, images)
      }
    }
    const matching = sides.filter(({ peer }) => peer)
    return {
      figures: [...(cached ? cachedFigures(cached) : []), ...matching.flatMap(sameScoreFigures)],
      tables: [sideTable(sides)],
      notes: notes({ pictures, cached }),
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
