// Many images: all calls at once against one after the other.
import pixrace from '../../index.js'
import { cycle, fixture } from '../lib/corpus.mjs'
import { against, figure, judged, ratios, timed } from '../lib/stats.mjs'

const IMAGES = 32
// Informative only, and as long as the others: fewer rounds do.
const MOST_DEFAULT_ROUNDS = 1
const bar = threads => 1 / Math.max(1, 0.95 * threads)

export const title = `${IMAGES} images: at once against one after the other`

export async function run({ rounds, quick, threads, corpus, progress }) {
  const images = cycle(corpus.kodak, quick ? 4 : IMAGES).map(({ bytes }) => bytes)
  const warm = fixture('photo.png').bytes
  await pixrace.optimize(warm)
  await pixrace.optimize(warm, { concurrency: 1 })
  const atOnce = () => Promise.all(images.map(bytes => pixrace.optimize(bytes)))
  const inTurn = options => async () => {
    for (const bytes of images) await pixrace.optimize(bytes, options)
  }
  const together = []
  const single = []
  const defaults = []
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`)
    together.push(await timed(atOnce))
    single.push(await timed(inTurn({ concurrency: 1 })))
    if (round < MOST_DEFAULT_ROUNDS) defaults.push(await timed(inTurn()))
  }
  const one = { a: together, b: single }
  const all = { a: together.slice(0, defaults.length), b: defaults }
  return {
    figures: [
      judged(`${images.length} at once, against one thread in turn`, ratios(one), bar(threads), { note: against(one) }),
      figure('at once, against default calls in turn', ratios(all), { note: against(all) }),
    ],
  }
}
