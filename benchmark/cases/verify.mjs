// What `verify: false` costs and saves: how far the look of a photograph is from the one asked for, how often the format
// that is taken on trust was not the smallest, and the time beside a verified call.
import pixrace from '../../index.js'
import { against, figure, inTurns, mean, median, ratios } from '../lib/stats.mjs'

export const title = 'Unverified: how near, and how much sooner'

const WIDTHS = [640, 1080, 1920]
const FLOORS = [60, 75, 85]
const EFFORTS = ['fast', 'balanced']
/** Of the times. */
const FLOOR = 75
/** Points: the mean must not lie further from the floor, whichever effort. */
const MISS_BAR = 1

/** Every picture in every width that makes it smaller. */
async function sized(images) {
  const all = await Promise.all(
    images.map(async ({ name, bytes }) => {
      const { width } = await pixrace.inspect(bytes)
      return WIDTHS.filter(wanted => wanted < width).map(wanted => ({ name, bytes, resize: { width: wanted } }))
    }),
  )
  return all.flat()
}

const smallest = (bytes, options) => pixrace.optimize(bytes, { keepOriginal: false, ...options })

/** Points above the floor (below it where negative), and whether another format would have been smaller. */
async function looks({ bytes, resize }, minScore) {
  const reference = (await smallest(bytes, { formats: ['png'], lossless: true, resize })).data
  const misses = {}
  const trusted = {}
  for (const effort of EFFORTS) {
    trusted[effort] = await smallest(bytes, { resize, minScore, effort, verify: false })
    if (trusted[effort].score === null) {
      misses[effort] = (await pixrace.score(reference, trusted[effort].data)) - minScore
    }
  }
  const { data, format, score } = trusted.fast
  const formats = ['avif', 'webp', 'jpeg'].filter(other => other !== format)
  const others = await smallest(bytes, { formats, resize, minScore, effort: 'fast' })
  return { misses, trusted: score === null, beaten: others.passed && others.data.length < data.length }
}

async function times({ bytes, resize }, effort, rounds) {
  const call = verify => () => smallest(bytes, { resize, minScore: FLOOR, effort, verify })
  return inTurns(rounds, call(false), call(true))
}

function missFigure(effort, found) {
  const misses = found.map(one => one.misses[effort]).filter(miss => miss !== undefined)
  const off = mean(misses)
  const deviation = Math.sqrt(mean(misses.map(miss => (miss - off) ** 2)))
  return figure(`effort '${effort}', points above minScore (mean)`, misses, {
    ...{ value: off, limit: MISS_BAR, passed: Math.abs(off) <= MISS_BAR },
    note: `standard deviation ${deviation.toFixed(1)}`,
  })
}

export async function run({ rounds, quick, corpus, progress }) {
  const images = await sized([...corpus.photos, ...corpus.kodak].slice(0, quick ? 2 : undefined))
  const found = []
  for (const image of images) {
    progress(`${image.name} in ${image.resize.width} pixels`)
    for (const floor of FLOORS) found.push(await looks(image, floor))
  }
  const timed = {}
  for (const effort of EFFORTS) {
    timed[effort] = []
    for (const image of images) {
      progress(`time, effort '${effort}', ${image.name} in ${image.resize.width} pixels`)
      timed[effort].push(await times(image, effort, rounds))
    }
  }
  const timeFigure = effort => {
    const each = timed[effort].map(one => median(ratios(one)))
    const all = { a: timed[effort].flatMap(one => one.a), b: timed[effort].flatMap(one => one.b) }
    return figure(`effort '${effort}', time to a verified call`, each, { note: against(all) })
  }
  const trusted = found.filter(one => one.trusted)
  return {
    figures: [...EFFORTS.map(effort => missFigure(effort, found)), ...EFFORTS.map(timeFigure)],
    notes: [
      `${images.length} pictures (photos and Kodak's in ${WIDTHS.join(', ')} pixels where that is smaller), minScore ${FLOORS.join(', ')}; times at ${FLOOR}.`,
      `${trusted.length} of ${found.length} calls with effort 'fast' were taken on trust; of these ${trusted.filter(one => one.beaten).length} would have been smaller in another format.`,
    ],
  }
}
