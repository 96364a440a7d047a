// With `metadata: 'strip'`, the default, the original as a candidate carries no metadata either, and loses nothing else:
// the same pixels, turned the same way, with the same profile, timing and loops. Files are read back by sharp, and what it
// cannot see is searched for in the bytes. Needs no corpus.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import pixrace from '../index.js'
import { withSharedData } from './support/boxes.mjs'
import { fixture } from './support/fixtures.mjs'

const SECRET = 'whom this picture shows'

/** The original as a candidate: `formats` matters little, as long as there is one. */
async function original(input, options) {
  const settings = { formats: ['jpeg'], flatten: '#ffffff', quality: 50, effort: 'fast', ...options }
  const { candidates, warnings } = await pixrace.optimize(input, settings)
  return { data: candidates.at(-1).data, bytes: candidates.at(-1).bytes, warnings }
}

async function assertStripped(input, name) {
  assert.ok(input.includes(SECRET), `${name} has no metadata to take out`)
  const { data, bytes } = await original(input)
  assert.equal(bytes, data.length, name)
  assert.ok(!data.includes(SECRET), `${name} still tells`)
  const [before, after] = [await sharp(input).metadata(), await sharp(data).metadata()]
  const seen = ({ format, width, height, orientation = 1, icc, pages, delay, loop, depth, hasAlpha }) => ({
    // No browser turns a WebP.
    ...{ format, width, height, orientation: format === 'webp' ? 1 : orientation, icc: icc?.toString('hex') },
    ...{ pages, delay, loop, depth, hasAlpha },
  })
  assert.deepEqual(seen(after), seen(before), name)
  const raw = file => sharp(file, { animated: true }).raw().toBuffer()
  assert.ok((await raw(data)).equals(await raw(input)), `${name} shows other pixels`)
  assert.deepEqual((await original(input, { metadata: 'keep' })).data, input, `${name}, keep`)
  // What has nothing left is left alone.
  assert.deepEqual((await original(data)).data, data, `${name}, again`)
  return { data, after }
}

const described = (name, orientation = 1) =>
  sharp(fixture(name))
    .withExif({ IFD0: { Artist: SECRET }, IFD3: { GPSLatitudeRef: 'N' } })
    .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- ${SECRET} --></x:xmpmeta>`)
    .withMetadata({ orientation })
    .withIccProfile('p3')

const FORMATS = {
  jpeg: image => image.jpeg(),
  'progressive jpeg': image => image.jpeg({ progressive: true }),
  png: image => image.png(),
  webp: image => image.webp(),
  'lossless webp': image => image.webp({ lossless: true }),
}

describe('EXIF and XMP', () => {
  for (const [name, encode] of Object.entries(FORMATS)) {
    for (const orientation of [1, 6, 7]) {
      test(`of a ${name} with orientation ${orientation}`, async () => {
        const { after } = await assertStripped(await encode(described('photo.png', orientation)).toBuffer(), name)
        assert.equal(after.xmp, undefined)
        if (orientation === 1 || after.format === 'webp') assert.equal(after.exif, undefined)
      })
    }
  }

  test('that are no more than an orientation, or are not there, change nothing', async () => {
    for (const name of ['orientation-6.jpg', 'photo.jpg', 'photo.png', 'photo.webp', 'animated.gif', 'animated.png']) {
      const { data, warnings } = await original(fixture(name))
      assert.deepEqual(data, fixture(name), name)
      assert.ok(!warnings.some(({ code }) => code === 'metadata-kept'), name)
    }
  })

  test('of an AVIF are written over in place', async () => {
    const input = await described('photo.png').avif({ effort: 0 }).toBuffer()
    const { data } = await assertStripped(input, 'avif')
    assert.equal(data.length, input.length)
  })

  test('of an AVIF that shares their bytes with the picture stay, with a warning', async () => {
    const made = { formats: ['avif'], metadata: 'keep', quality: 50, keepOriginal: false }
    const input = (await pixrace.optimize(fixture('exif-xmp.jpg'), made)).data
    assert.ok(input.includes('A mountain lake'))
    assert.ok(!(await original(input)).data.includes('A mountain lake'))
    const shared = withSharedData(input)
    const { data, warnings } = await original(shared)
    assert.deepEqual(data, shared)
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['metadata-kept'],
    )
  })
})

function pngChunk(kind, content) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), Buffer.from(content)])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

const insert = (file, at, ...parts) => Buffer.concat([file.subarray(0, at), ...parts, file.subarray(at)])

function jpegSegment(marker, content) {
  const body = Buffer.from(content, 'latin1')
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

describe('whatever else files carry', () => {
  test('text, times, private chunks and what follows the end of a PNG', async () => {
    const file = await sharp(fixture('palette.png')).png({ palette: true }).withMetadata({ density: 72 }).toBuffer()
    const chunks = [
      pngChunk('tEXt', `Comment\0${SECRET}`),
      pngChunk('iTXt', `Comment\0\0\0\0\0${SECRET}`),
      pngChunk('tIME', [7, 232, 1, 2, 3, 4, 5]),
      pngChunk('prVt', SECRET),
    ]
    await assertStripped(Buffer.concat([insert(file, 33, ...chunks), Buffer.from(SECRET)]), 'png')
  })

  test('comments, previews, editors’ states and what follows the end of a JPEG', async () => {
    const file = await sharp(fixture('photo.png')).jpeg({ progressive: true }).toBuffer()
    const segments = [
      jpegSegment(0xe0, `JFXX\0\x13${SECRET}`),
      jpegSegment(0xe2, `MPF\0${SECRET}`),
      jpegSegment(0xed, `Photoshop 3.0\0${SECRET}`),
      jpegSegment(0xfe, SECRET),
    ]
    await assertStripped(Buffer.concat([insert(file, 2, ...segments), Buffer.from(SECRET)]), 'jpeg')
  })

  test('unknown chunks of a WebP', async () => {
    const file = await sharp(fixture('logo-alpha.png')).webp().withIccProfile('p3').toBuffer()
    const content = Buffer.from(`${SECRET}.`)
    const head = Buffer.from('seCr\0\0\0\0', 'latin1')
    head.writeUInt32LE(content.length, 4)
    const input = Buffer.concat([file, head, content, Buffer.alloc(content.length % 2)])
    input.writeUInt32LE(input.length - 8, 4)
    await assertStripped(input, 'webp')
  })

  test('comments of an animated GIF, which keeps its frames, times and loops', async () => {
    const file = fixture('animated.gif')
    const colors = file[10] & 0x80 ? 3 << (1 + (file[10] & 7)) : 0
    const comment = Buffer.concat([Buffer.from([0x21, 0xfe, SECRET.length]), Buffer.from(SECRET), Buffer.from([0])])
    const name = Buffer.from([0x21, 0xff, 11, ...Buffer.from('XMP DataXMP'), SECRET.length])
    const packet = Buffer.concat([name, Buffer.from(SECRET), Buffer.from([0])])
    await assertStripped(insert(file, 13 + colors, comment, packet), 'gif')
  })

  test('of an animated WebP', async () => {
    const input = await sharp(fixture('animated.gif'), { animated: true })
      .withExif({ IFD0: { Artist: SECRET } })
      .webp({ loop: 3 })
      .toBuffer()
    await assertStripped(input, 'animated webp')
  })
})
