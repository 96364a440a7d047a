// The pixels are right. What pixrace decodes comes out of it as a lossless PNG, which has to hold the very samples that
// sharp decodes from the original; what its lossy formats show is held against the same within a bound. So too for the
// eight orientations, transparency, grey and 16 bits. Needs no corpus.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'
import { blockDifference, decode, decode16, difference } from './support/pixels.mjs'

/** Two decoders of JPEG may round differently in the inverse DCT, the colour transform and the upsampling of chroma. */
const DECODER_STEPS = 5

/** Mean error of colour at quality 95, measured at most 2.2; turned or mirrored the card has 33 and more. */
const FINE_ERROR = 4

async function losslessPng(file) {
  const result = await pixrace.optimize(file, { lossless: true, formats: ['png'], keepOriginal: false })
  assert.equal(result.format, 'png')
  return result
}

/** The files of all finished candidates but the original, by format. */
async function encodeAll(file, options) {
  const { candidates, warnings } = await pixrace.optimize(file, { keepOriginal: false, strategy: 'all', ...options })
  const files = candidates.filter(({ data }) => data).map(({ format, data }) => [format, data])
  return { files: Object.fromEntries(files), warnings }
}

describe('every pixel of 8 bits is the one that sharp decodes', () => {
  const exact = {
    'RGB PNG': () => fixture('photo.png'),
    'interlaced PNG': () => sharp(fixture('photo.png')).png({ progressive: true }).toBuffer(),
    'interlaced RGBA PNG': () => sharp(fixture('logo-alpha.png')).png({ progressive: true }).toBuffer(),
    'palette PNG': () => fixture('palette.png'),
    'palette PNG with tRNS': () => fixture('palette-alpha.png'),
    'grey PNG': () => fixture('grey.png'),
    'grey PNG of 1 bit': () => fixture('grey-1bit.png'),
    'grey PNG with alpha': () => fixture('grey-alpha.png'),
    'RGBA PNG': () => fixture('alpha-gradient.png'),
    'opaque RGBA PNG': () => fixture('opaque-rgba.png'),
    'PNG of 1 pixel': () => fixture('pixel.png'),
    'wide PNG': () => fixture('wide.png'),
    'tall PNG': () => fixture('tall.png'),
    'still GIF': () => fixture('still.gif'),
    'lossy WebP': () => fixture('photo.webp'),
    'lossless WebP': () => sharp(fixture('logo-alpha.png')).webp({ lossless: true }).toBuffer(),
  }
  for (const [kind, make] of Object.entries(exact)) {
    test(kind, async () => {
      const original = await make()
      const { data } = await losslessPng(original)
      assert.deepEqual(difference(await decode(original), await decode(data)), { color: 0, alpha: 0, largest: 0 })
    })
  }
  for (const name of ['photo.jpg', 'cmyk.jpg', 'exif-xmp.jpg']) {
    test(`${name}, up to the rounding of two JPEG decoders`, async () => {
      const { data } = await losslessPng(fixture(name))
      const { color, largest } = difference(await decode(fixture(name)), await decode(data))
      assert.ok(color < 0.5 && largest <= DECODER_STEPS, `mean ${color}, largest ${largest}`)
    })
  }
})

describe('16 bits per sample', () => {
  for (const name of ['grey16.png', 'rgb16.png', 'rgba16.png']) {
    test(`${name} keeps all of them in a lossless PNG`, async () => {
      const { data, input } = await losslessPng(fixture(name))
      assert.equal(input.bitDepth, 16)
      assert.equal((await sharp(data).metadata()).depth, 'ushort')
      const [before, after] = [await decode16(fixture(name)), await decode16(data)]
      assert.equal(Buffer.compare(Buffer.from(before.data.buffer), Buffer.from(after.data.buffer)), 0)
    })
    test(`${name} is rounded to the nearest of 8 bits otherwise`, async () => {
      const { files } = await encodeAll(fixture(name), { formats: ['png'], quality: 80 })
      assert.equal((await sharp(files.png).metadata()).depth, 'uchar')
      const [before, after] = [await decode16(fixture(name)), await decode(files.png)]
      const wrong = after.data.findIndex((sample, i) => Math.abs(sample - before.data[i] / 257) > 0.5)
      assert.equal(wrong, -1, `sample ${wrong} is ${after.data[wrong]}, of ${before.data[wrong]}`)
    })
  }
})

describe('EXIF orientation', () => {
  const upright = decode(fixture('orientation-1.jpg'))
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`${orientation} comes out upright in every format`, async () => {
      const original = fixture(`orientation-${orientation}.jpg`)
      const { width, height, input } = await losslessPng(original)
      assert.deepEqual([width, height, input.orientation], [120, 80, orientation])
      assert.equal([input.width, input.height].join(), orientation < 5 ? '120,80' : '80,120')
      const { files } = await encodeAll(original, { quality: 95 })
      assert.deepEqual(Object.keys(files), ['avif', 'webp', 'jpeg', 'png'])
      for (const [format, file] of Object.entries(files)) {
        const { color } = difference(await upright, await decode(file))
        assert.ok(color < FINE_ERROR, `${format}: mean error ${color}`)
        assert.equal((await sharp(file).metadata()).orientation, undefined, format)
      }
    })
  }
})

describe('transparency', () => {
  for (const name of ['logo-alpha.png', 'alpha-gradient.png', 'grey-alpha.png', 'palette-alpha.png', 'rgba16.png']) {
    test(`${name} keeps its alpha and its colours in AVIF, WebP and PNG`, async () => {
      const original = await decode(fixture(name))
      const { files, warnings } = await encodeAll(fixture(name), { quality: 90 })
      assert.deepEqual(Object.keys(files), ['avif', 'webp', 'png'])
      assert.ok(warnings.some(({ code, format }) => code === 'format-skipped' && format === 'jpeg'))
      for (const [format, file] of Object.entries(files)) {
        const { color, alpha } = difference(original, await decode(file))
        assert.ok(alpha < 0.5 && color < 4, `${format}: mean error of alpha ${alpha}, of colour ${color}`)
        const visible = difference(nearlyOpaque(original, original), nearlyOpaque(await decode(file), original))
        assert.ok(visible.color < 8, `${format}: mean error of the colour of what is nearly opaque ${visible.color}`)
      }
    })
  }
  test('an alpha channel that is not used is none', async () => {
    const { files } = await encodeAll(fixture('opaque-rgba.png'), { quality: 80 })
    for (const [format, file] of Object.entries(files)) {
      assert.equal((await sharp(file).metadata()).hasAlpha, false, format)
    }
  })
})

/** The pixels at which `mask` is nearly opaque, as a picture of one row. */
function nearlyOpaque({ data }, mask) {
  const at = [...mask.data.keys()].filter(i => i % 4 === 3 && mask.data[i] >= 240)
  assert.ok(at.length > 100)
  const picked = at.flatMap(i => [...data.subarray(i - 3, i + 1)])
  return { width: at.length, height: 1, data: picked }
}

describe('grey', () => {
  const sources = {
    'a grey JPEG': () => sharp(fixture('grey.png')).toColourspace('b-w').jpeg({ quality: 92 }).toBuffer(),
    'an RGB PNG without colour': () => sharp(fixture('grey.png')).toColourspace('srgb').png().toBuffer(),
  }
  for (const [kind, make] of Object.entries(sources)) {
    test(`${kind} becomes grey, with one channel where the format has it`, async () => {
      const original = await make()
      const { input } = await losslessPng(original)
      assert.equal(input.colorSpace, kind.includes('RGB') ? 'rgb' : 'gray')
      const { files } = await encodeAll(original, { quality: 90 })
      for (const format of ['jpeg', 'png']) {
        const { channels, space } = await sharp(files[format]).metadata()
        assert.deepEqual([channels, space], [1, 'b-w'], format)
      }
      for (const [format, file] of Object.entries(files)) {
        const { data } = await decode(file)
        const colored = data.findIndex((sample, i) => i % 4 === 1 && Math.abs(sample - data[i - 1]) > 2)
        assert.equal(colored, -1, format)
      }
    })
  }
})

describe('the default quality', () => {
  for (const name of ['photo.jpg', 'photo.png', 'photo.webp']) {
    test(`of ${name} looks right in every lossy format`, async () => {
      const { files } = await encodeAll(fixture(name), { formats: ['avif', 'webp', 'jpeg'], quality: {} })
      for (const [format, file] of Object.entries(files)) {
        const score = await pixrace.score(fixture(name), file)
        assert.ok(score >= 60 && score < 100, `${format} scores ${score}`)
        const { color } = blockDifference(await decode(fixture(name)), await decode(file))
        assert.ok(color < 2, `${format}: blocks are ${color} off`)
      }
    })
  }
})
