// What the default quality looks like: mean score and bytes of each lossy format around it, on photographs of two sizes.
import pixrace from '../../index.js'
import { spread } from '../lib/corpus.mjs'

export const title = 'the default quality: scores and bytes around it'

const FORMATS = ['avif', 'webp', 'jpeg']
const QUALITIES = [75, 80, 85]

/** Of each size: enough for a mean, few enough to wait for. */
const PHOTOS = 6

async function measure(images, quality, progress) {
  const found = Object.fromEntries(FORMATS.map(format => [format, { scores: [], bytes: [] }]))
  for (const [i, { bytes: input }] of images.entries()) {
    progress(`quality ${quality}, picture ${i + 1} of ${images.length}`)
    const { candidates } = await pixrace.optimize(input, {
      formats: FORMATS,
      quality,
      strategy: 'all',
      keepOriginal: false,
    })
    for (const candidate of candidates) {
      found[candidate.format].scores.push(await pixrace.score(input, candidate.data))
      found[candidate.format].bytes.push(candidate.bytes)
    }
  }
  return found
}

const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length

export async function run({ quick, corpus, progress }) {
  const rows = []
  for (const [name, all] of [
    ['2048 px', corpus.photos],
    ['768 px', corpus.kodak],
  ]) {
    const images = spread(all, quick ? 1 : PHOTOS)
    for (const quality of QUALITIES) {
      const found = await measure(images, quality, progress)
      for (const format of FORMATS) {
        const { scores, bytes } = found[format]
        const cells = [mean(scores).toFixed(1), Math.min(...scores).toFixed(1), `${(mean(bytes) / 1000).toFixed(1)} kB`]
        rows.push([name, format, String(quality), ...cells])
      }
    }
  }
  return { figures: [], table: { head: ['Photos', 'Format', 'Quality', 'Mean score', 'Lowest', 'Mean size'], rows } }
}
