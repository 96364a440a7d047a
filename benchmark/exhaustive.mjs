// The search against the truth: every quality of every lossy format is encoded and scored, and the smallest file that
// passes is compared with what the search finds. Slow, half a minute to a minute per image, and so a command of its own:
//   npm run exhaustive [-- --images 12 --score 70]
import { parseArgs } from 'node:util'
import pixrace from '../index.js'
import { openCorpus, spread } from './lib/corpus.mjs'

const FORMATS = ['avif', 'webp', 'jpeg']
/** Most that a searched winner may be larger than the best of all qualities. */
const TOLERANCE = 0.02

const { values } = parseArgs({ options: { images: { type: 'string' }, score: { type: 'string' } } })
const [count, floor] = [Number(values.images ?? 12), Number(values.score ?? 70)]

async function everyQuality(input, format) {
  const qualities = Array.from({ length: 100 }, (_, i) => i + 1)
  const once = { formats: [format], keepOriginal: false }
  const files = await Promise.all(
    qualities.map(async quality => {
      const { data } = await pixrace.optimize(input, { ...once, quality })
      return { quality, bytes: data.length, score: await pixrace.score(input, data) }
    }),
  )
  return files.filter(({ score }) => score >= floor).sort((a, b) => a.bytes - b.bytes)[0]
}

const excess = []
for (const { name, bytes } of spread(openCorpus().kodak, count)) {
  const { candidates } = await pixrace.optimize(bytes, { minScore: floor, formats: FORMATS, strategy: 'all' })
  const best = []
  const cells = []
  for (const [i, format] of FORMATS.entries()) {
    const truth = await everyQuality(bytes, format)
    best.push(truth?.bytes ?? Number.POSITIVE_INFINITY)
    const found = candidates[i]
    const more = truth ? `${(100 * (found.bytes / truth.bytes - 1)).toFixed(1)} %` : 'none passes'
    cells.push(`${format} ${found.bytes} (quality ${found.quality}, ${found.encodes} encodes) ${more}`)
  }
  const winner = Math.min(...candidates.filter(({ score }) => score >= floor).map(candidate => candidate.bytes))
  excess.push(winner / Math.min(...best) - 1)
  console.log(`${name}: winner ${(100 * excess.at(-1)).toFixed(1)} %; ${cells.join('; ')}`)
}
const worst = Math.max(...excess)
const mean = excess.reduce((sum, value) => sum + value, 0) / excess.length
console.log(`Winners: ${(100 * mean).toFixed(2)} % larger on average, ${(100 * worst).toFixed(2)} % at most.`)
process.exitCode = worst <= TOLERANCE ? 0 : 1
