// Resizing against sharp, both with Lanczos3: how alike the pictures are, and how long it takes. Time is that of pixels in,
// pixels out, inside a call: pixrace says how long it decoded and resized, and sharp is given and asked for raw pixels, which
// it copies in and out besides.
import sharp from 'sharp'
import pixrace from '../../index.js'
import { spread } from '../lib/corpus.mjs'
import { against, figure, judged, ratios, timed } from '../lib/stats.mjs'

export const title = 'Resizing, against sharp with Lanczos3'

const WIDTHS = [1280, 640, 320]
const IMAGES = 6
/** 100 minus the least SSIMULACRA2 between the two. */
const MOST_POINTS = 10

const lossless = { lossless: true, formats: ['png'], effort: 'fast', keepOriginal: false, colorProfile: 'srgb' }
const resized = (input, width) => sharp(input).resize({ width, withoutEnlargement: true, kernel: 'lanczos3' })

async function pointsApart({ bytes }, width) {
  const { data, height } = await pixrace.optimize(bytes, { ...lossless, resize: { width } })
  // Of a side that follows, libvips cuts a part of a pixel off, where pixrace scales it in: with both sides given it does too.
  const same = { width, height, fit: 'fill', withoutEnlargement: true, kernel: 'lanczos3' }
  return 100 - (await pixrace.score(await sharp(bytes).resize(same).png().toBuffer(), data))
}

/** Milliseconds of pixrace and of sharp for every picture and width. */
async function times(images, raws, width) {
  const [ours, theirs] = [[], []]
  const [oursDecoding, theirsDecoding] = [[], []]
  for (const [i, { bytes }] of images.entries()) {
    const { data, info } = raws[i]
    const quick = {
      formats: ['jpeg'],
      quality: 1,
      effort: 'fast',
      keepOriginal: false,
      flatten: '#ffffff',
      resize: { width },
    }
    const { timings } = await pixrace.optimize(bytes, quick)
    ours.push(timings.resizeMs)
    oursDecoding.push(timings.decodeMs + timings.resizeMs)
    const pixels = sharp(data, { raw: info }).resize({ width, withoutEnlargement: true, kernel: 'lanczos3' })
    theirs.push(await timed(() => pixels.raw().toBuffer()))
    theirsDecoding.push(await timed(() => resized(bytes, width).raw().toBuffer()))
  }
  const sum = values => values.reduce((total, value) => total + value, 0)
  return { pure: [sum(ours), sum(theirs)], decoding: [sum(oursDecoding), sum(theirsDecoding)] }
}

export async function run({ rounds, quick, corpus, progress }) {
  const photos = spread(corpus.photos, quick ? 2 : IMAGES)
  const figures = []
  for (const [kind, images] of Object.entries({ photos, graphics: corpus.graphics })) {
    progress(`${kind} beside each other`)
    const points = []
    for (const image of images) for (const width of WIDTHS) points.push(await pointsApart(image, width))
    figures.push(judged(`${kind}: points of SSIMULACRA2 below 100, the worst`, [Math.max(...points)], MOST_POINTS))
  }
  const raws = await Promise.all(photos.map(({ bytes }) => sharp(bytes).raw().toBuffer({ resolveWithObject: true })))
  for (const width of WIDTHS) {
    const pure = { a: [], b: [] }
    const decoding = { a: [], b: [] }
    await times(photos, raws, width)
    for (let round = 0; round < rounds; round++) {
      progress(`${width} pixels, round ${round + 1} of ${rounds}`)
      const found = await times(photos, raws, width)
      for (const [into, [a, b]] of [
        [pure, found.pure],
        [decoding, found.decoding],
      ]) {
        into.a.push(a)
        into.b.push(b)
      }
    }
    figures.push(judged(`photos to ${width} pixels, time to sharp's`, ratios(pure), 1, { note: against(pure) }))
    figures.push(figure('the same with decoding', ratios(decoding), { note: against(decoding) }))
  }
  return { figures }
}
