// The smallest file at the same look: one pixrace call that searches, beside the files that sharp and @napi-rs/image
// make at the quality that somebody else has found for them.
import sharp from 'sharp'
import { rateScore, timeBytes } from '../lib/peer-plots.mjs'
import { BASELINE, EFFORTS, measure, pixraceSide } from '../lib/peer-runs.mjs'
import { byFormat, perImage, summary } from '../lib/peer-tables.mjs'
import { PEERS } from '../lib/peer-tools.mjs'
import { figure, judged, mean, median, milliseconds } from '../lib/stats.mjs'

export const title = 'The smallest file at the same look, beside sharp and @napi-rs/image'

const QUICK = { photos: 1, kodak: 2, graphics: 1 }

// Against sharp's four formats at effort 4, on photos: bytes of the smallest file, and time of the whole call.
const BYTES_BAR = { fast: 1.3, balanced: 1.1, best: 1 }
const TIME_BAR = { fast: 0.2, balanced: 0.5, best: 1 }

const sideOf = ({ sides }, name) => sides.find(side => side.name === name)
const isPeer = ({ name }) => !EFFORTS.map(pixraceSide).includes(name)
const smallestPeer = ({ sides }) => Math.min(...sides.filter(isPeer).map(({ winner }) => winner.bytes))
const kilobytes = bytes => `${(bytes / 1000).toFixed(1)} kB`

/** Bytes of pixrace's winner over those of `other`, image by image; the figure is their mean. */
function bytesFigure(label, images, effort, other, bar) {
  const own = images.map(image => sideOf(image, pixraceSide(effort)).winner.bytes)
  const others = images.map(other)
  const values = own.map((bytes, i) => bytes / others[i])
  const more = { digits: 3, value: mean(values), note: `${kilobytes(mean(own))} against ${kilobytes(mean(others))}` }
  // Not rounded: the bar is on the bytes themselves.
  const passed = bar && (bar.below ? more.value < bar.limit : more.value <= bar.limit)
  return { ...figure(label, values, more), ...bar, passed }
}

/** Time of the whole pixrace call over that of all files of a side, each a median of rounds; median of the images. */
function timeFigure(label, images, effort, other, limit) {
  const [own, others] = [pixraceSide(effort), other].map(name => images.map(image => median(sideOf(image, name).times)))
  const values = own.map((time, i) => time / others[i])
  const note = `${milliseconds(median(own))} against ${milliseconds(median(others))}`
  return limit === undefined ? figure(label, values, { note }) : judged(label, values, limit, { note })
}

function figures({ photos, kodak, graphics }) {
  const baseline = image => sideOf(image, BASELINE).winner.bytes
  const napi = '@napi-rs/image, default speed'
  const napiBytes = image => sideOf(image, napi).winner.bytes
  return [
    ...EFFORTS.map(effort =>
      bytesFigure(`photos, bytes, ${effort} to sharp's effort 4`, photos, effort, baseline, {
        limit: BYTES_BAR[effort],
      }),
    ),
    ...EFFORTS.map(effort =>
      timeFigure(`photos, time, ${effort} to sharp's effort 4`, photos, effort, BASELINE, TIME_BAR[effort]),
    ),
    bytesFigure('photos, bytes, balanced to @napi-rs/image', photos, 'balanced', napiBytes),
    timeFigure('photos, time, balanced to @napi-rs/image', photos, 'balanced', napi),
    bytesFigure("kodak, bytes, balanced to sharp's effort 4", kodak, 'balanced', baseline),
    bytesFigure('graphics, bytes, balanced to the best of all peers', graphics, 'balanced', smallestPeer, {
      limit: 1,
      below: true,
    }),
    bytesFigure('graphics, bytes, best to the best of all peers', graphics, 'best', smallestPeer),
  ]
}

function notes(corpus, found, floor) {
  const all = Object.values(found).flat()
  const winners = all.flatMap(({ sides }) => sides.filter(side => !isPeer(side)))
  const low = winners.filter(({ belowFloor }) => belowFloor).length
  const lowest = Math.min(...winners.map(({ winner }) => winner.score))
  const versions = PEERS.map(({ name, version }) => `${name} ${version}`).join(', ')
  const pool = process.env.UV_THREADPOOL_SIZE ?? 'not set'
  return [
    `The floor is SSIMULACRA2 ${floor}, computed alike for all files: decoded by sharp, compared with the input.`,
    `${low} of pixrace's ${winners.length} winners score below it; the lowest scores ${lowest.toFixed(2)}.`,
    "The peers' qualities were searched beforehand; their times are those of one run at these qualities, the formats started together. pixrace's times include its search.",
    'A format of a peer without a passing file is left out of its run. WebP and PNG are lossless where that is smaller.',
    'Ratios of bytes are means over the images, those of times medians; the range is that of the images.',
    "On photos pixrace and sharp's effort 4 are timed in every round, all else once.",
    `${versions}, sharp.concurrency() ${sharp.concurrency()}, UV_THREADPOOL_SIZE ${pool}. Pictures: ${corpus.source}.`,
  ]
}

export async function run({ rounds, quick, corpus, floor, write, progress }) {
  const found = {}
  for (const [folder, most] of Object.entries(QUICK)) {
    found[folder] = []
    const images = quick ? corpus[folder].slice(0, most) : corpus[folder]
    for (const [i, image] of images.entries()) {
      const show = text => progress(`${folder} ${i + 1} of ${images.length}, ${text}`)
      const sides = await measure(image, { rounds: folder === 'photos' ? rounds : 1, floor, progress: show })
      found[folder].push({ name: image.name, sides })
    }
  }
  const plots = write ? [timeBytes(found.photos, floor), await rateScore(corpus.kodak, progress)] : []
  return {
    figures: figures(found),
    tables: [summary(found), perImage(found), byFormat(found)],
    notes: notes(corpus, found, floor),
    plots,
  }
}
