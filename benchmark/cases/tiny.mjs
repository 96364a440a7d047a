// Tiny images: whether handing work to several threads costs more than it brings.
import pixrace from '../../index.js'
import { fixture } from '../lib/corpus.mjs'
import { against, inTurns, judged, median, ratios } from '../lib/stats.mjs'

export const title = 'Tiny images: default against one thread'

const FILES = ['orientation-1.jpg', 'palette.png']
const CALLS = 20
const BAR = 1.05

export async function run({ rounds, quick, progress }) {
  const figures = []
  for (const { name, bytes } of FILES.map(fixture)) {
    const standard = () => pixrace.optimize(bytes)
    const one = () => pixrace.optimize(bytes, { concurrency: 1 })
    await inTurns(2, standard, one)
    const medians = { a: [], b: [] }
    for (let round = 0; round < rounds; round++) {
      progress(`${name}, round ${round + 1} of ${rounds}`)
      const times = await inTurns(quick ? 5 : CALLS, standard, one)
      medians.a.push(median(times.a))
      medians.b.push(median(times.b))
    }
    const label = `${name}, ${(bytes.length / 1000).toFixed(1)} kB`
    figures.push(judged(label, ratios(medians), BAR, { note: against(medians) }))
  }
  return { figures }
}
