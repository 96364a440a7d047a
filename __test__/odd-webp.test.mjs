// WebPs whose chunks do not fit together: what is shown of them is what Chromium shows. Each row says what that is, and where
// there is a Chromium it is asked too; the stripped original must show the same there.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { path as browserPath, openBrowser } from './support/browser.mjs'
import { lettersOf, shownByPixrace } from './support/letters.mjs'
import * as riff from './support/riff.mjs'

const { ALPHA, EXIF, ICC, MOVES, XMP, anim, anmf, exifOf, solidWebp, vp8x, webpChunk, webpOf } = riff
const CORRUPT = 'ERR_PIXRACE_CORRUPT_INPUT'
const P3_RED = [200, 60, 60]

const red = (await solidWebp(4, 2, [255, 0, 0])).VP8L
const half = (await solidWebp(4, 2, [0, 0, 255, 128])).VP8L
const dot = (await solidWebp(2, 2, [0, 255, 0])).VP8L
const square = (await solidWebp(8, 8, [0, 255, 0])).VP8L
const lossyRed = (await solidWebp(4, 2, [255, 0, 0], { lossless: false }))['VP8 ']
const lossyDot = (await solidWebp(2, 2, [0, 255, 0], { lossless: false }))['VP8 ']
const lossyHalf = await solidWebp(4, 2, [0, 0, 255, 128], { lossless: false })
const p3 = await solidWebp(4, 2, P3_RED, { icc: 'p3' })

const WHOLE = { width: 4, height: 2 }
const RIGHT = { left: 2, width: 2, height: 2 }
const unknown = webpChunk('XYZW', 'abc')
const exif = webpChunk('EXIF', exifOf(6))
const extended = (flags, ...chunks) => webpOf([vp8x(flags, 4, 2), ...chunks])
const animated = (...chunks) => extended(MOVES, anim(3), ...chunks)
const first = anmf(WHOLE, red)

/** Name: file, and what is seen of each frame; or the code of the error, where Chromium shows nothing or a part. */
const FILES = {
  // Flags without a chunk.
  'an alpha flag and no ALPH': [extended(ALPHA, lossyRed), ['RRRR RRRR']],
  'an XMP flag and no XMP': [extended(XMP, red), ['RRRR RRRR']],
  'an EXIF flag and no EXIF': [extended(EXIF, red), ['RRRR RRRR']],
  'a profile flag and no profile': [extended(ICC, red), ['RRRR RRRR']],
  'every flag of a chunk and none': [extended(ALPHA | XMP | EXIF | ICC, lossyRed), ['RRRR RRRR']],
  'an animation flag and no frame': [extended(MOVES, red), CORRUPT],
  'an animation flag, ANIM and no frame': [animated(), CORRUPT],
  'an animation flag, a frame and no ANIM': [extended(MOVES, first), CORRUPT],
  // Chunks without their flag.
  'ALPH without its flag': [extended(0, lossyHalf.ALPH, lossyHalf['VP8 ']), ['BBBB BBBB']],
  'alpha in VP8L without its flag': [extended(0, half), ['bbbb bbbb']],
  'a profile without its flag': [extended(0, p3.ICCP, p3.VP8L), ['PPPP PPPP']],
  'EXIF without its flag': [extended(0, red, exif), ['RRRR RRRR']],
  'a profile behind a simple picture': [webpOf([p3.VP8L, p3.ICCP]), ['PPPP PPPP']],
  'ANIM and a frame without their flag': [extended(0, anim(3), first), CORRUPT],
  'frames behind a still': [extended(0, red, anim(3), anmf(RIGHT, dot)), ['RRRR RRRR']],
  // Chunks with their flag.
  'ALPH with its flag': [extended(ALPHA, lossyHalf.ALPH, lossyHalf['VP8 ']), ['bbbb bbbb']],
  'a profile with its flag': [extended(ICC, p3.ICCP, p3.VP8L), ['QQQQ QQQQ']],
  'a profile behind its picture': [extended(ICC, p3.VP8L, p3.ICCP), ['QQQQ QQQQ']],
  'two profiles, the second damaged': [extended(ICC, p3.ICCP, webpChunk('ICCP', 'no'), p3.VP8L), ['QQQQ QQQQ']],
  'two profiles, the first damaged': [extended(ICC, webpChunk('ICCP', 'no'), p3.ICCP, p3.VP8L), ['PPPP PPPP']],
  'an orientation': [extended(EXIF, red, exif), ['RRRR RRRR']],
  'an orientation in front': [extended(EXIF, exif, red), ['RRRR RRRR']],
  'an orientation of an animation': [
    extended(MOVES | EXIF, anim(3), first, anmf(RIGHT, dot), exif),
    ['RRRR RRRR', 'RRGG RRGG'],
  ],
  // Single frames.
  'a frame': [animated(first), ['RRRR RRRR']],
  'a frame of a part': [animated(anmf(RIGHT, dot)), ['..GG ..GG']],
  'a frame of a part, not blended': [animated(anmf({ ...RIGHT, flags: 2 }, dot)), ['..GG ..GG']],
  'a lossy frame of a part': [animated(anmf(RIGHT, lossyDot)), ['..GG ..GG']],
  'a frame with alpha': [animated(anmf(WHOLE, half)), ['bbbb bbbb']],
  'a frame with ALPH': [animated(anmf(WHOLE, lossyHalf.ALPH, lossyHalf['VP8 '])), ['bbbb bbbb']],
  'a frame that is said to be larger than it is': [animated(anmf(WHOLE, dot)), ['GG.. GG..']],
  'a frame that is said to be smaller than it is': [animated(anmf({ width: 2, height: 2 }, red)), ['RRRR RRRR']],
  'a frame and an empty one': [animated(anmf(WHOLE), first), ['RRRR RRRR']],
  'a frame with a profile': [extended(MOVES | ICC, p3.ICCP, anim(3), anmf(WHOLE, p3.VP8L)), ['PPPP PPPP']],
  'a frame with an orientation': [extended(MOVES | EXIF, anim(3), first, exif), ['RRRR RRRR']],
  // Frames that do not fit.
  'a frame beyond its canvas': [animated(anmf({ ...WHOLE, left: 2 }, red)), CORRUPT],
  'a frame that is larger than its canvas': [animated(anmf({ width: 8, height: 8 }, square)), CORRUPT],
  'a second frame that is larger': [animated(first, anmf({ width: 8, height: 8 }, square)), CORRUPT],
  'a picture that is larger than its canvas': [extended(0, square), CORRUPT],
  'a picture that is smaller than its canvas': [extended(0, dot), CORRUPT],
  // Several frames.
  'two frames': [animated(first, anmf(RIGHT, dot)), ['RRRR RRRR', 'RRGG RRGG']],
  'a frame that is disposed': [
    animated(anmf({ ...WHOLE, flags: 1 }, red), anmf(RIGHT, dot)),
    ['RRRR RRRR', '..GG ..GG'],
  ],
  'frames with a profile': [
    extended(MOVES | ICC, p3.ICCP, anim(3), anmf(WHOLE, p3.VP8L), anmf(RIGHT, dot)),
    ['PPPP PPPP', 'PPGG PPGG'],
  ],
  'frames with something between': [animated(first, unknown, anmf(RIGHT, dot)), ['RRRR RRRR', 'RRGG RRGG']],
  'frames with something in them': [
    animated(anmf(WHOLE, red, webpChunk('XYZW', 'ab')), anmf(RIGHT, dot)),
    ['RRRR RRRR', 'RRGG RRGG'],
  ],
  'frames with something in front of the picture': [animated(anmf(WHOLE, unknown, red), anmf(RIGHT, dot)), CORRUPT],
  'two ANIMs': [extended(MOVES, anim(3), anim(7), first, anmf(RIGHT, dot)), ['RRRR RRRR', 'RRGG RRGG']],
  // Other chunks and sizes.
  'something in front': [extended(0, unknown, red), ['RRRR RRRR']],
  'something behind': [extended(0, red, unknown), ['RRRR RRRR']],
  'something behind a simple picture': [webpOf([red, unknown]), ['RRRR RRRR']],
  'something in front of a simple picture': [webpOf([unknown, red]), CORRUPT],
  'VP8X behind a simple picture': [webpOf([red, vp8x(0, 8, 8)]), ['RRRR RRRR']],
  'something behind the end': [Buffer.concat([webpOf([red]), Buffer.from('odd')]), ['RRRR RRRR']],
  'something behind the end of an animation': [
    Buffer.concat([animated(first, anmf(RIGHT, dot)), Buffer.from('odd')]),
    ['RRRR RRRR', 'RRGG RRGG'],
  ],
  'an end that is missing': [webpOf([red], 400), CORRUPT],
  'an end of an animation that is missing': [
    webpOf([vp8x(MOVES, 4, 2), anim(3), first, anmf(RIGHT, dot)], 400),
    CORRUPT,
  ],
  'an end that is too early': [webpOf([red], 14), CORRUPT],
  'a chunk that is said to be longer': [extended(0, webpChunk('XYZW', 'abcd', 400), red), CORRUPT],
  'a picture that is said to be longer': [webpOf([webpChunk('VP8L', red.subarray(8), 400)]), CORRUPT],
}

let browser
before(async () => {
  if (browserPath) browser = await openBrowser()
})
after(() => browser?.close())

async function shownByChromium(data, format = 'webp') {
  const { error, width, height, frames } = await browser.frames({ data, format })
  return error ? CORRUPT : frames.map(frame => lettersOf({ width, height, data: Buffer.from(frame) }))
}

describe('is shown as in Chromium', () => {
  for (const [name, [file, expected]] of Object.entries(FILES)) {
    test(name, async () => {
      assert.deepEqual(await shownByPixrace(file), expected)
      if (browser) assert.deepEqual(await shownByChromium(file), expected)
      if (expected === CORRUPT) return
      const options = { strategy: 'all', quality: 90, flatten: '#ffffff' }
      const { input, width, height, candidates } = await pixrace.optimize(file, options)
      assert.deepEqual([input.width, input.height, width, height, input.orientation], [4, 2, 4, 2, 1])
      assert.deepEqual([input.pages, input.hasAlpha], [expected.length, /[.b]/.test(expected.join())])
      for (const { format, data } of candidates.filter(({ data }) => data)) {
        const { width, height, orientation = 1 } = await sharp(data).metadata()
        assert.deepEqual([width, height, orientation], [4, 2, 1], format)
      }
      const original = candidates.at(-1)
      assert.ok(original.encodes === 0 && !original.data.includes('EXIF'))
      if (browser) assert.deepEqual(await shownByChromium(original.data), expected)
    })
  }
})

describe('metadata', () => {
  const described = extended(EXIF | XMP, red, exif, webpChunk('XMP ', '<x:xmpmeta/>'))

  test('that are kept turn no format', async () => {
    const options = { metadata: 'keep', quality: 90, strategy: 'all' }
    const { candidates } = await pixrace.optimize(described, options)
    assert.equal(candidates.length, 5)
    for (const { format, data, encodes } of candidates) {
      const { width, height, orientation = 1, exif } = await sharp(data).metadata()
      assert.ok(exif, `${format} keeps no EXIF`)
      assert.deepEqual([width, height], [4, 2], format)
      if (encodes > 0) assert.equal(orientation, 1, format)
      else assert.deepEqual(data, described)
      if (browser) {
        const { width, height } = await browser.frames({ data, format })
        assert.deepEqual([width, height], [4, 2], format)
      }
    }
  })

  test('without their flag do not count', async () => {
    const hidden = extended(0, red, exif, webpChunk('XMP ', '<x:xmpmeta/>'))
    const options = { metadata: 'keep', quality: 90, formats: ['jpeg', 'webp'], keepOriginal: false, strategy: 'all' }
    for (const { data } of (await pixrace.optimize(hidden, options)).candidates) {
      const { exif, xmp } = await sharp(data).metadata()
      assert.deepEqual([exif, xmp], [undefined, undefined])
    }
  })
})

test('the profile of an animation goes along if it is wanted, and every viewer shows what it did', async () => {
  const input = extended(MOVES | ICC, p3.ICCP, anim(3), anmf(WHOLE, p3.VP8L), anmf(RIGHT, dot))
  const options = { lossless: true, formats: ['webp'], keepOriginal: false }
  const kept = (await pixrace.optimize(input, options)).data
  assert.deepEqual((await sharp(kept).metadata()).icc, (await sharp(input).metadata()).icc)
  const converted = (await pixrace.optimize(input, { ...options, colorProfile: 'srgb' })).data
  assert.equal((await sharp(converted).metadata()).icc, undefined)
  if (!browser) return
  for (const data of [kept, converted]) assert.deepEqual(await shownByChromium(data), ['PPPP PPPP', 'PPGG PPGG'])
})
