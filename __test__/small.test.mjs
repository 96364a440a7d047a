// Small pictures: the score means the same at every size, and the files of the default call look like their pictures.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { corpusFiles, withCorpus } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'
import { decode } from './support/pixels.mjs'

const SIZES = [8, 16, 24, 32, 48, 56, 64, 96, 112, 113, 128, 192, 256]
const exact = { formats: ['png'], lossless: true, keepOriginal: false }
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length

const png = (width, height, channels, pixel) => {
  const data = Buffer.alloc(width * height * channels)
  for (let i = 0; i < width * height; i++) Buffer.from(pixel(i % width, Math.floor(i / width))).copy(data, i * channels)
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer()
}

/** Mean difference of two files in levels, on white. */
async function meanError(a, b) {
  const shown = async file => {
    const { data } = await pixrace.optimize(file, exact)
    return sharp(data).flatten({ background: '#fff' }).toColourspace('srgb').raw().toBuffer()
  }
  const [x, y] = await Promise.all([shown(a), shown(b)])
  assert.equal(x.length, y.length)
  return mean(Array.from(x, (value, i) => Math.abs(value - y[i])))
}

/** `file` and its mirror images side by side. */
async function mirrored(file, width, height) {
  const { data, ...size } = await decode(file)
  const at = (position, length) => Math.min(position % (2 * length), 2 * length - 1 - (position % (2 * length)))
  return png(width, height, 4, (x, y) => {
    const start = (at(y, size.height) * size.width + at(x, size.width)) * 4
    return data.subarray(start, start + 4)
  })
}

test('a picture scores as it does with its mirror images', async () => {
  for (const [width, height] of [
    [1, 1],
    [5, 3],
    [64, 64],
    [200, 7],
    [100, 127],
  ]) {
    const photo = sharp(fixture('photo.png')).resize(width, height, { fit: 'fill' })
    const [a, b] = [await photo.png().toBuffer(), await photo.modulate({ brightness: 0.9 }).png().toBuffer()]
    const to = [Math.max(width, 128), Math.max(height, 128)]
    const expected = await pixrace.score(await mirrored(a, ...to), await mirrored(b, ...to))
    assert.equal(await pixrace.score(a, b), expected, `${width} × ${height}`)
  }
})

test('one setting scores alike from 8 to 256 pixels', async () => {
  const scores = []
  for (const size of SIZES) {
    const pictures = ['photo.jpg', 'photo.png', 'photo.webp'].map(fixture)
    const each = pictures.map(async bytes => {
      const picture = await sharp(bytes).resize(size, size, { fit: 'cover' }).png().toBuffer()
      return pixrace.score(picture, await sharp(picture).jpeg({ quality: 75, chromaSubsampling: '4:4:4' }).toBuffer())
    })
    scores.push(mean(await Promise.all(each)))
  }
  assert.ok(Math.max(...scores) - Math.min(...scores) <= 8, scores.map(score => score.toFixed(1)).join(' '))
})

withCorpus('photographs of the corpus score alike from 8 to 256 pixels', ['kodak'], () => {
  test('photographs of the corpus score alike from 8 to 256 pixels, and their errors do not grow', async () => {
    const files = corpusFiles('kodak').filter((_, i) => i % 3 === 0)
    const [scores, errors] = [[], []]
    for (const size of [8, 16, 32, 48, 64, 128, 256]) {
      const found = await Promise.all(
        files.map(async ({ read }) => {
          const picture = await sharp(read()).resize(size, size, { fit: 'cover' }).png().toBuffer()
          const jpeg = await sharp(picture).jpeg({ quality: 75, chromaSubsampling: '4:4:4' }).toBuffer()
          const { data } = await pixrace.optimize(picture)
          return [await pixrace.score(picture, jpeg), await meanError(picture, data)]
        }),
      )
      scores.push(mean(found.map(([score]) => score)))
      errors.push(mean(found.map(([, error]) => error)))
    }
    assert.ok(Math.max(...scores) - Math.min(...scores) <= 8, scores.map(score => score.toFixed(1)).join(' '))
    const full = errors.at(-1)
    assert.ok(Math.max(...errors) <= 1.25 * full, errors.map(error => error.toFixed(2)).join(' '))
  })
})

const drawings = {
  'a checkerboard of 4 × 4': png(4, 4, 3, (x, y) => ((x + y) % 2 ? [140, 60, 20] : [20, 120, 200])),
  'a pixel': png(1, 1, 3, () => [200, 30, 90]),
  'a translucent pixel': png(1, 1, 4, () => [200, 30, 90, 77]),
  'a gradient of 300 × 8': png(300, 8, 3, x => [x >> 1, 200 - (x >> 1), 90]),
  'a gradient of 3 × 300': png(3, 300, 3, (_, y) => [y >> 1, 90, 200 - (y >> 1)]),
  'rings of 16 × 16': png(16, 16, 3, (x, y) => {
    const ring = Math.round(Math.hypot(x - 7.5, y - 7.5)) % 3
    return [
      [250, 250, 245],
      [190, 40, 30],
      [20, 60, 120],
    ][ring]
  }),
  'a disc of 24 × 24 with soft edges': png(24, 24, 4, (x, y) => {
    const alpha = Math.max(0, Math.min(1, 11 - Math.hypot(x - 11.5, y - 11.5)))
    return [217, 67 + 4 * y, 47, Math.round(255 * alpha)]
  }),
}

for (const [name, drawing] of Object.entries(drawings)) {
  test(`${name} looks like itself`, async () => {
    const file = await drawing
    const { data, passed } = await pixrace.optimize(file, { keepOriginal: false })
    const error = await meanError(file, data)
    assert.ok(passed && error <= 4.5, `mean error ${error.toFixed(2)}`)
  })
}

test('what scores well with too large an error does not pass', async () => {
  const file = await sharp(fixture('photo.png')).resize(24, 24, { fit: 'fill' }).png().toBuffer()
  const formats = ['jpeg']
  let quality = 40
  let scored = 0
  let known
  while (scored < 72) {
    quality++
    known = await pixrace.optimize(file, { formats, quality, keepOriginal: false })
    scored = await pixrace.score(file, known.data)
  }
  const options = { formats, minScore: 70, maxBytes: known.data.length, keepOriginal: false }
  const { passed, score, candidates, warnings } = await pixrace.optimize(file, options)
  assert.equal(passed, false)
  assert.ok(score >= 70, `${score}`)
  assert.deepEqual([candidates[0].outcome, warnings.at(-1).code], ['below-score', 'infeasible'])
})
