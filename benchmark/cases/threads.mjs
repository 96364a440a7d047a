// Four formats of one photo: every thread against one.
import pixrace from '../../index.js'
import { fixture, spread } from '../lib/corpus.mjs'
import { against, figure, inTurns, judged, median, ratios } from '../lib/stats.mjs'

export const title = 'Four formats of one photo: all threads against one'

// Five rounds of all nine photos would take a quarter of an hour.
const PHOTOS = 4
// Four formats cannot keep more than four threads busy for sure; the bar asks for 0.9 of perfect up to there.
const bar = threads => 1 / Math.max(1, 0.9 * Math.min(threads, 4))

// One encode of each format: a race would leave most of them out.
const FOUR = { quality: 80, strategy: 'all' }

export async function run({ rounds, quick, threads, corpus, progress }) {
  const photos = spread(corpus.photos, quick ? 1 : PHOTOS)
  const warm = fixture('photo.png').bytes
  await pixrace.optimize(warm)
  await pixrace.optimize(warm, { concurrency: 1 })
  const figures = []
  for (const { name, bytes } of photos) {
    progress(name)
    const all = () => pixrace.optimize(bytes, FOUR)
    const one = () => pixrace.optimize(bytes, { ...FOUR, concurrency: 1 })
    const times = await inTurns(rounds, all, one)
    figures.push(figure(name, ratios(times), { note: against(times) }))
  }
  const medians = figures.map(({ value }) => value)
  figures.push(judged(`median of ${photos.length} photos`, medians, bar(threads), { note: speedUp(median(medians)) }))
  return { figures }
}

const speedUp = ratio => `${(1 / ratio).toFixed(2)} times as fast`
