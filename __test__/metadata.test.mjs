// EXIF and XMP: by default no encoded candidate carries any; with `metadata: 'keep'` they are carried along unchanged but
// for the orientation, which was applied to the pixels and is reset, so that no viewer turns the picture twice. Read back
// with sharp and with a parser of our own; what sharp cannot see is searched for in the bytes. Needs no corpus.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { ORIENTATION, readExif } from './support/exif.mjs'
import { fixture } from './support/fixtures.mjs'
import { decode, difference } from './support/pixels.mjs'

const FORMATS = ['avif', 'webp', 'jpeg', 'png']
/** One file of every format. */
const ONCE = { keepOriginal: false, quality: 80, strategy: 'all' }
const ORIGINAL = fixture('exif-xmp.jpg')

/** Description, maker, model and date in the directory of the picture; 46° 33′ N, 8° 33′ E in that of the GPS. */
const SECRETS = ['A mountain lake', 'Procedural camera', '2024:06:01', 'W5M0MpCehiHzreSzNTczkc9d', 'Exif', 'eXIf']

async function candidatesOf(file, options) {
  const { candidates, warnings, width, height } = await pixrace.optimize(file, { ...ONCE, ...options })
  assert.deepEqual(
    candidates.map(({ format, data }) => [format, Boolean(data)]),
    FORMATS.map(format => [format, true]),
  )
  return { files: candidates.map(({ format, data }) => ({ format, data })), warnings, size: [width, height] }
}

/** Without EXIF, turned upright: what every candidate has to look like. */
const uprightOriginal = sharp(ORIGINAL).autoOrient().png().toBuffer()

/** Is shown as the upright original is, whether its viewer knows of EXIF or not. */
async function assertUpright(format, data) {
  const expected = await decode(await uprightOriginal)
  const asStored = await sharp(data).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const stored = { width: asStored.info.width, height: asStored.info.height, data: asStored.data }
  const turned = await decode(data)
  assert.ok(difference(expected, stored).color < 4, `${format} is not upright as stored`)
  assert.ok(difference(expected, turned).color < 4, `${format} is not upright once its orientation is applied`)
  assert.equal(difference(stored, turned).largest, 0, `${format} is turned a second time`)
}

/** EXIF without its orientation: what has to stay. */
function withoutOrientation(exif) {
  const { tags, gps } = readExif(exif)
  const { [ORIENTATION]: orientation, ...others } = tags
  return { others, gps, orientation }
}

describe('the fixture', () => {
  test('has EXIF with an orientation and a GPS position, and XMP', async () => {
    const { exif, xmp, orientation } = await sharp(ORIGINAL).metadata()
    assert.equal(orientation, 6)
    const { others, gps, orientation: tag } = withoutOrientation(exif)
    assert.equal(tag, '0600')
    assert.deepEqual(Object.keys(others).map(Number), [0x010e, 0x010f, 0x0110, 0x0132])
    assert.equal(Object.keys(gps).length, 5)
    assert.ok(xmp.includes('A mountain lake'))
    for (const secret of SECRETS.slice(0, -1)) assert.ok(ORIGINAL.includes(secret), secret)
  })
})

describe('strip', () => {
  for (const options of [{}, { metadata: 'strip' }, { metadata: 'strip', effort: 'best', quality: 95 }]) {
    test(`${JSON.stringify(options)} leaves no EXIF and no XMP in any candidate`, async () => {
      const { files, warnings, size } = await candidatesOf(ORIGINAL, options)
      assert.deepEqual(size, [240, 160])
      assert.deepEqual(warnings, [])
      for (const { format, data } of files) {
        const { exif, xmp, orientation } = await sharp(data).metadata()
        assert.deepEqual([exif, xmp, orientation], [undefined, undefined, undefined], format)
        for (const secret of SECRETS) assert.ok(!data.includes(secret), `${format} holds ${secret}`)
        await assertUpright(format, data)
      }
    })
  }
})

describe('keep', () => {
  test('carries EXIF in every format, with only the orientation reset', async () => {
    const { files, size } = await candidatesOf(ORIGINAL, { metadata: 'keep' })
    assert.deepEqual(size, [240, 160])
    const before = withoutOrientation((await sharp(ORIGINAL).metadata()).exif)
    for (const { format, data } of files) {
      const { exif } = await sharp(data).metadata()
      assert.ok(exif, `${format} lost EXIF`)
      const after = withoutOrientation(exif)
      assert.deepEqual(after.others, before.others, format)
      assert.deepEqual(after.gps, before.gps, format)
      assert.ok([undefined, '0100'].includes(after.orientation), `${format}: orientation ${after.orientation}`)
      await assertUpright(format, data)
    }
  })

  test('carries XMP in WebP, JPEG and PNG, and says that AVIF cannot', async () => {
    const { files, warnings } = await candidatesOf(ORIGINAL, { metadata: 'keep' })
    const { xmp: before } = await sharp(ORIGINAL).metadata()
    for (const { format, data } of files) {
      const { xmp } = await sharp(data).metadata()
      if (format === 'avif') assert.equal(xmp, undefined)
      else assert.ok(xmp?.equals(before), `${format} changed XMP`)
    }
    const dropped = warnings.map(({ code, format }) => [code, format])
    assert.deepEqual(dropped, [['metadata-dropped', 'avif']])
    assert.match(warnings[0].message, /AVIF.*XMP/)
  })

  test('changes no pixel', async () => {
    const [kept, stripped] = [await candidatesOf(ORIGINAL, { metadata: 'keep' }), await candidatesOf(ORIGINAL, {})]
    for (const [i, { format, data }] of kept.files.entries()) {
      assert.equal(difference(await decode(data), await decode(stripped.files[i].data)).largest, 0, format)
    }
  })

  test('has nothing to say about a picture without metadata', async () => {
    const { files, warnings } = await candidatesOf(fixture('photo.png'), { metadata: 'keep' })
    assert.deepEqual(warnings, [])
    for (const { format, data } of files) assert.equal((await sharp(data).metadata()).exif, undefined, format)
  })

  test('carries XMP that a PNG holds compressed', async () => {
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- Zürich, 東京 --></x:xmpmeta>'
    const input = await sharp(fixture('photo.png')).withXmp(xmp).png().toBuffer()
    assert.ok(input.includes('zTXtXML:com.adobe.xmp'), 'sharp compresses it')
    const { files } = await candidatesOf(input, { metadata: 'keep' })
    for (const { format, data } of files.filter(file => file.format !== 'avif')) {
      assert.equal((await sharp(data).metadata()).xmpAsString, xmp, format)
    }
  })
  test('drops, with a warning, a block that no JPEG segment holds', async () => {
    const packet = `<x:xmpmeta>${'x'.repeat(70_000)}</x:xmpmeta>`
    const webp = await sharp(fixture('photo.png')).withXmp(packet).webp().toBuffer()
    const { files, warnings } = await candidatesOf(webp, { metadata: 'keep', effort: 'fast' })
    assert.deepEqual(
      warnings.map(({ code, format }) => [code, format]),
      [['metadata-dropped', undefined]],
    )
    assert.match(warnings[0].message, /XMP/)
    for (const { format, data } of files) assert.ok(!data.includes('x'.repeat(100)), format)
  })
})

describe('EXIF of other containers', () => {
  // No browser turns a WebP.
  for (const [container, orientation, shown] of [
    ['png', 6, [240, 160]],
    ['webp', 1, [160, 240]],
  ]) {
    test(`${container}: the orientation is applied as browsers do, and kept EXIF has it reset`, async () => {
      const stored = await sharp(await uprightOriginal)
        .rotate(-90)
        .png()
        .toBuffer()
      const expected = await decode(orientation === 6 ? await uprightOriginal : stored)
      const described = await sharp(stored)
        .withExif({ IFD0: { Make: 'Other container' } })
        .withMetadata({ orientation: 6 })
        [container]({ lossless: true })
        .toBuffer()
      const header = await pixrace.inspect(described)
      assert.deepEqual(
        [header.format, header.orientation, header.width, header.height],
        [container, orientation, 160, 240],
      )
      const { files, size } = await candidatesOf(described, { metadata: 'keep' })
      assert.deepEqual(size, shown)
      for (const { format, data } of files) {
        assert.ok(difference(expected, await decode(data)).color < 4, format)
        const { exif } = await sharp(data).metadata()
        assert.ok(exif.includes('Other container'), format)
        assert.ok([undefined, '0100'].includes(readExif(exif).tags[ORIENTATION]), format)
      }
    })
  }
})
