// A file that breaks off is an error, never a picture that is half grey. Sound files of every kind are cut at 25 points
// and at each of their last bytes: success is allowed only where the cut loses no pixel (an end marker, a checksum of an
// empty chunk), and then the pixels have to be those of the whole file. So too for files whose end was put right again
// behind the cut, as repair tools do. Needs no corpus; the kinds that are no fixtures are made with sharp.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { mapBounded } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'

const BROKEN = ['ERR_PIXRACE_CORRUPT_INPUT', 'ERR_PIXRACE_UNSUPPORTED_INPUT']
const CUTS = 25
const [FIRST_CUT, LAST_CUT] = [0.05, 0.99]

/** More bytes than any end marker has. */
const LAST_BYTES = 16

const KINDS = {
  'baseline JPEG': () => fixture('photo.jpg'),
  'progressive JPEG': () => sharp(fixture('photo.jpg')).jpeg({ progressive: true }).toBuffer(),
  'CMYK JPEG': () => fixture('cmyk.jpg'),
  PNG: () => fixture('photo.png'),
  'interlaced PNG': () => sharp(fixture('photo.png')).png({ progressive: true }).toBuffer(),
  'lossy WebP': () => fixture('photo.webp'),
  'WebP with alpha': () => sharp(fixture('logo-alpha.png')).webp().toBuffer(),
  'lossless WebP': () => sharp(fixture('photo.png')).webp({ lossless: true }).toBuffer(),
  GIF: () => fixture('still.gif'),
  AVIF: () => sharp(fixture('photo.jpg')).avif({ effort: 0 }).toBuffer(),
  'AVIF with alpha and EXIF': () =>
    sharp(fixture('logo-alpha.png'))
      .withExif({ IFD0: { Artist: 'A' } })
      .avif()
      .toBuffer(),
}

/** The pixels as a lossless PNG, which is the same for the same pixels, or the code of the error. */
async function pixelsOf(file) {
  try {
    const options = { formats: ['png'], lossless: true, keepOriginal: false, effort: 'fast' }
    return { png: (await pixrace.optimize(file, options)).data }
  } catch (error) {
    return { code: error.code, message: error.message }
  }
}

/** Names the cuts that are neither an error nor harmless; `repair` puts the end of a cut file right. */
async function wrongCuts(whole, lengths, repair = file => file) {
  const { png, message } = await pixelsOf(whole)
  assert.ok(png, message)
  const found = await mapBounded(lengths, 4, async length => {
    const { png: cut, code } = await pixelsOf(repair(Buffer.from(whole.subarray(0, length))))
    if (code) return BROKEN.includes(code) ? [] : [`${length} of ${whole.length} bytes: ${code}`]
    return cut.equals(png) ? [] : [`${length} of ${whole.length} bytes: a picture with other pixels`]
  })
  return found.flat()
}

function spreadOver(length) {
  const step = (LAST_CUT - FIRST_CUT) / (CUTS - 1)
  return Array.from({ length: CUTS }, (_, i) => Math.round(length * (FIRST_CUT + step * i)))
}

/** Gives a cut WebP the sizes that it now has, and a whole number of 16-bit words. */
function repairWebp(file) {
  const even = file.subarray(0, file.length & ~1)
  even.writeUInt32LE(even.length - 8, 4)
  even.writeUInt32LE(even.length - 20, 16)
  return even
}

const WEBP_REPAIRS = { 'lossy WebP': repairWebp, 'lossless WebP': repairWebp }

const END_OF_JPEG = Buffer.from([0xff, 0xd9])
const repairJpeg = file => Buffer.concat([file, END_OF_JPEG])

for (const [kind, make] of Object.entries(KINDS)) {
  describe(kind, () => {
    let whole
    before(async () => {
      whole = await make()
    })
    test('cut in the middle is an error', async () => {
      const lengths = spreadOver(whole.length)
      const codes = await mapBounded(lengths, 4, async length => (await pixelsOf(whole.subarray(0, length))).code)
      const accepted = lengths.filter((_, i) => !BROKEN.includes(codes[i]))
      assert.deepEqual(accepted, [])
    })
    test('without its last bytes is an error or loses nothing', async () => {
      const lengths = Array.from({ length: LAST_BYTES }, (_, i) => whole.length - 1 - i)
      assert.deepEqual(await wrongCuts(whole, lengths), [])
    })
    const repair = kind.endsWith('JPEG') ? repairJpeg : WEBP_REPAIRS[kind]
    if (repair) {
      test('cut and closed again is an error', async () => {
        assert.deepEqual(await wrongCuts(whole, spreadOver(whole.length), repair), [])
      })
    }
  })
}
