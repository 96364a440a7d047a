// Several widths of a photo, as a srcset needs them: one call of optimizeMany against a call of optimize for each.
import pixrace from '../../index.js'
import { spread } from '../lib/corpus.mjs'
import { against, figure, inTurns, judged, mean, median, ratios } from '../lib/stats.mjs'

export const title = 'optimizeMany: six widths of a photo, against six calls'

const WIDTHS = [320, 480, 640, 960, 1280, 1920]
const IMAGES = 4
const BAR = 0.7

const variants = WIDTHS.map(width => ({ resize: { width } }))
const bytesOf = results => results.reduce((sum, { data }) => sum + data.length, 0)

async function inTurn(bytes) {
  const results = []
  for (const variant of variants) results.push(await pixrace.optimize(bytes, variant))
  return results
}

export async function run({ rounds, quick, corpus, progress }) {
  const images = spread(corpus.photos, quick ? 1 : IMAGES)
  const [perImage, sizes] = [[], []]
  for (const { name, bytes } of images) {
    let [many, each] = [[], []]
    const times = await inTurns(
      rounds,
      async () => {
        progress(name)
        many = await pixrace.optimizeMany(bytes, variants)
      },
      async () => {
        each = await inTurn(bytes)
      },
    )
    perImage.push(times)
    sizes.push(bytesOf(many) / bytesOf(each))
  }
  const rows = perImage.map((times, i) => figure(`photo ${images[i].name}`, ratios(times), { note: against(times) }))
  const all = Array.from({ length: rounds }, (_, round) => mean(perImage.map(times => ratios(times)[round])))
  return {
    figures: [
      judged(`time, mean of ${images.length} photos`, all, BAR),
      ...rows,
      figure('bytes', [median(sizes)], { note: `at most ${Math.max(...sizes).toFixed(3)}` }),
    ],
  }
}
