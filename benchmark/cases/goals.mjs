// How well a search does what it is asked: how near it comes to a floor and to a budget, in how many encodes, and what a
// race saves against finishing every format.
import pixrace from '../../index.js'
import { scoreOf } from '../lib/peer-files.mjs'
import { against, figure, inTurns, judged, mean, ratios } from '../lib/stats.mjs'

export const title = 'Floors and budgets: how near, and in how many encodes'

const FLOOR = 80
/** Points above the floor, share of a budget left, encodes of a format, time of a race against all formats. */
const BARS = { above: 2, unused: 0.05, encodes: 3, race: 0.6 }
const LOSSY = ['avif', 'webp', 'jpeg']
/** Of the size that `minScore: 70` takes: less than that picture wants, and so all of it should be used. */
const BUDGETS = [0.5, 1.5]

const meanFigure = (label, values, limit, more) => {
  const value = mean(values)
  return { ...judged(label, values, limit, more), value, passed: value <= limit }
}

async function floors(images, progress) {
  const found = []
  for (const { name, bytes } of images) {
    progress(`minScore ${FLOOR}, ${name}`)
    const { data, format, score } = await pixrace.optimize(bytes, { minScore: FLOOR })
    found.push({ format, score, shown: await scoreOf(bytes, data) })
  }
  return found
}

async function budgets(images, progress) {
  const shares = []
  for (const { name, bytes } of images) {
    const { data } = await pixrace.optimize(bytes)
    for (const part of BUDGETS) {
      const maxBytes = Math.round(data.length * part)
      progress(`maxBytes ${maxBytes}, ${name}`)
      shares.push((await pixrace.optimize(bytes, { maxBytes })).data.length / maxBytes)
    }
  }
  return shares
}

/** Encodes of every lossy format that a race finished or gave up after it had begun. */
async function encodes(images, progress) {
  const counts = []
  for (const { name, bytes } of images) {
    progress(`encodes, ${name}`)
    const { candidates } = await pixrace.optimize(bytes)
    const begun = candidates.filter(candidate => LOSSY.includes(candidate.format) && candidate.encodes > 0)
    counts.push(...begun.map(candidate => candidate.encodes))
  }
  return counts
}

async function races(images, rounds, progress) {
  const found = []
  for (const { name, bytes } of images) {
    progress(`race and all, ${name}`)
    const answers = {}
    const call = strategy => async () => {
      answers[strategy] = await pixrace.optimize(bytes, { strategy })
    }
    const times = await inTurns(rounds, call('race'), call('all'))
    found.push({ times, same: answers.race.data.equals(answers.all.data) })
  }
  return found
}

export async function run({ rounds, quick, corpus, progress }) {
  const some = list => (quick ? list.slice(0, 2) : list)
  const [photos, kodak, graphics] = [corpus.photos, corpus.kodak, corpus.graphics].map(some)
  const lossy = [...photos, ...kodak]
  const floor = await floors([...lossy, ...graphics], progress)
  const chosen = floor.filter(({ format, score }) => LOSSY.includes(format) && score < 100)
  const shares = await budgets(lossy, progress)
  const counts = await encodes(lossy, progress)
  const raced = await races(photos, rounds, progress)
  const same = [...raced, ...(await races([...kodak, ...graphics], 1, progress))].map(one => one.same)
  const times = raced.map(one => ({ ...one, ratio: ratios(one.times) }))
  const lowest = Math.min(...floor.map(({ shown }) => shown))
  const all = { a: times.flatMap(one => one.times.a), b: times.flatMap(one => one.times.b) }
  return {
    figures: [
      meanFigure(
        `minScore ${FLOOR}, points above it (lossy winners, mean)`,
        chosen.map(({ shown }) => shown - FLOOR),
        BARS.above,
      ),
      figure(
        `minScore ${FLOOR}, winners below it`,
        floor.map(({ shown }) => (shown < FLOOR ? 1 : 0)),
        { value: floor.filter(({ shown }) => shown < FLOOR).length, digits: 0, limit: 0, passed: lowest >= FLOOR },
      ),
      meanFigure(
        'maxBytes, share left unused (mean)',
        shares.map(share => 1 - share),
        BARS.unused,
      ),
      figure('maxBytes, exceeded', shares, {
        value: shares.filter(share => share > 1).length,
        low: 0,
        high: 0,
        digits: 0,
        limit: 0,
        passed: shares.every(share => share <= 1),
      }),
      meanFigure('encodes of a lossy format in a race (mean)', counts, BARS.encodes),
      judged(
        "race, time against 'all' on photos",
        times.flatMap(({ ratio }) => ratio),
        BARS.race,
        { note: against(all) },
      ),
    ],
    notes: [
      `Scores are of the winners as sharp decodes them; the lowest is ${lowest.toFixed(2)}.`,
      `Budgets are ${BUDGETS.join(' and ')} times what minScore 70 takes.`,
      `race and all gave the same bytes on ${same.filter(Boolean).length} of ${same.length} pictures.`,
    ],
  }
}
