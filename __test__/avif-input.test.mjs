// AVIF as input: what pixrace decodes is what sharp (libheif) decodes, to the bit or within a bound; the header says what
// the file says; orientation and colour description are understood. Needs no corpus.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { addProperty, patchBox, premultiplied } from './support/boxes.mjs'
import { fixture } from './support/fixtures.mjs'
import { decode, difference } from './support/pixels.mjs'

const lossless = { formats: ['png'], lossless: true, keepOriginal: false, effort: 'fast' }
const shown = async file => decode((await pixrace.optimize(file, lossless)).data)

/** The file that pixrace makes: 10 bits, full range, grey or 4:4:4, or 4:2:0 where colours are soft. */
const own = async (name, quality = 80) =>
  (await pixrace.optimize(fixture(name), { formats: ['avif'], quality, effort: 'fast', keepOriginal: false })).data
const byLibheif = (name, options, shape = image => image) =>
  shape(sharp(fixture(name)))
    .avif({ effort: 0, quality: 70, ...options })
    .toBuffer()
const cropped = (width, height) => image => image.extract({ left: 3, top: 5, width, height })

/** Largest difference of a sample, and means; of 8 bits and whole chroma there is none. */
const SAME = { largest: 0, color: 0, alpha: 0 }
/** libheif cuts 10 bits to 8, which costs it up to one step. Measured: 1.9 and 0.15, with alpha; 0.14 in alpha. */
const ROUNDED = { largest: 2, color: 0.3, alpha: 0.2 }
/** Where chroma is subsampled the two interpolate differently. Measured: 43 and 0.58 at sharp edges. */
const SUBSAMPLED = { largest: 45, color: 0.6, alpha: 0 }

const KINDS = {
  '4:4:4': [() => byLibheif('photo.png', { chromaSubsampling: '4:4:4' }), SAME],
  '4:4:4 lossless': [() => byLibheif('photo.png', { lossless: true }), SAME],
  '4:2:0': [() => byLibheif('photo.jpg', { chromaSubsampling: '4:2:0' }), SUBSAMPLED],
  '4:2:0 of odd size': [() => byLibheif('photo.png', { chromaSubsampling: '4:2:0' }, cropped(101, 67)), SUBSAMPLED],
  '4:2:0 of 1 pixel': [() => byLibheif('photo.png', { chromaSubsampling: '4:2:0' }, cropped(1, 1)), SAME],
  '4:4:4 of odd size': [() => byLibheif('photo.png', { chromaSubsampling: '4:4:4' }, cropped(97, 33)), SAME],
  grey: [() => byLibheif('grey.png', {}, image => image.toColourspace('b-w')), SAME],
  'alpha, 4:4:4': [() => byLibheif('logo-alpha.png', { chromaSubsampling: '4:4:4' }), SAME],
  'alpha, lossless': [() => byLibheif('alpha-gradient.png', { lossless: true }), SAME],
  '10 bits, 4:2:0': [() => byLibheif('photo.png', { bitdepth: 10, chromaSubsampling: '4:2:0' }), SUBSAMPLED],
  '12 bits, 4:4:4': [() => byLibheif('photo.png', { bitdepth: 12, chromaSubsampling: '4:4:4' }), ROUNDED],
  '10 bits, 4:4:4': [() => own('photo.jpg'), ROUNDED],
  '10 bits, grey': [() => own('grey.png'), ROUNDED],
  '10 bits, alpha, 4:4:4': [() => own('logo-alpha.png'), ROUNDED],
  '10 bits, alpha, 4:2:0': [() => own('alpha-gradient.png'), { ...SUBSAMPLED, alpha: 0.2 }],
  '10 bits, 3 rows': [() => own('wide.png'), ROUNDED],
}

describe('the picture is the one that sharp decodes', () => {
  for (const [kind, [make, bound]] of Object.entries(KINDS)) {
    test(kind, async t => {
      const file = await make()
      const found = difference(await decode(file), await shown(file))
      t.diagnostic(JSON.stringify(found))
      for (const [measure, most] of Object.entries(bound))
        assert.ok(found[measure] <= most, `${measure} ${found[measure]}`)
    })
  }
})

describe('the header', () => {
  const info = { format: 'avif', hasAlpha: false, bitDepth: 8, orientation: 1, pages: 1, colorSpace: 'rgb' }
  const cases = {
    'of 8 bits': [() => byLibheif('photo.png'), { width: 320, height: 240 }],
    'of 10 bits': [() => own('photo.png'), { width: 320, height: 240, bitDepth: 10 }],
    'with alpha': [() => byLibheif('logo-alpha.png'), { width: 240, height: 240, hasAlpha: true }],
    'of grey': [() => own('grey.png'), { width: 240, height: 160, bitDepth: 10, colorSpace: 'gray' }],
  }
  for (const [kind, [make, expected]] of Object.entries(cases)) {
    test(kind, async () => {
      const file = await make()
      assert.deepEqual(await pixrace.inspect(file), { ...info, ...expected, bytes: file.length })
      // The boxes are enough.
      const head = file.subarray(0, file.indexOf('mdat') + 8)
      assert.deepEqual(await pixrace.inspect(head), { ...info, ...expected, bytes: head.length })
    })
  }

  test('is held against the limits before anything is decoded', async () => {
    const file = await byLibheif('photo.png')
    const refused = { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'maxPixels', actual: 320 * 240, bound: 1000 }
    await assert.rejects(pixrace.optimize(file, { limits: { maxPixels: 1000 } }), refused)
  })

  test('EXIF, XMP and the profile are carried along or told of', async () => {
    const xmp = '<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta><?xpacket end="w"?>'
    const image = sharp(fixture('photo.png'))
      .withExif({ IFD0: { Artist: 'Ada' } })
      .withXmp(xmp)
      .withIccProfile('p3')
    const file = await image.avif({ effort: 0 }).toBuffer()
    const { data, warnings } = await pixrace.optimize(file, { ...lossless, metadata: 'keep' })
    const kept = await sharp(data).metadata()
    assert.ok(kept.exif.includes('Ada'))
    assert.ok(kept.xmp.includes('x:xmpmeta'))
    assert.ok(
      kept.icc.equals(
        (
          await image
            .png()
            .toBuffer()
            .then(png => sharp(png).metadata())
        ).icc,
      ),
    )
    assert.deepEqual(warnings, [])
  })
})

describe('what the file says of its picture', () => {
  // By EXIF's numbers; each turns the picture anticlockwise by `quarters`, then mirrors it.
  const ORIENTATIONS = [
    ...[
      ['irot', 0, 1],
      ['irot', 1, 8],
      ['irot', 2, 3],
      ['irot', 3, 6],
    ],
    ...[
      ['imir', 0, 4],
      ['imir', 1, 2],
    ],
  ]
  let file
  before(async () => {
    file = await byLibheif('photo.png', { chromaSubsampling: '4:4:4' })
  })

  for (const [box, value, orientation] of ORIENTATIONS) {
    test(`orientation ${orientation} from ${box} ${value}`, async () => {
      const turned = addProperty(file, box, [value])
      const { width, height, ...info } = await pixrace.inspect(turned)
      assert.deepEqual([width, height, info.orientation], [320, 240, orientation])
      // sharp turns by EXIF's number what it decodes from the file without the box.
      const upright = await sharp(file).withMetadata({ orientation }).png().toBuffer()
      const found = difference(await decode(upright), await shown(turned))
      assert.ok(found.largest <= SAME.largest, JSON.stringify(found))
    })
  }

  test('both boxes: turned first, then mirrored', async () => {
    for (const [quarters, axis, orientation] of [
      [1, 1, 7],
      [3, 1, 5],
      [1, 0, 5],
      [3, 0, 7],
      [2, 0, 2],
      [2, 1, 4],
    ]) {
      const turned = addProperty(addProperty(file, 'irot', [quarters]), 'imir', [axis])
      assert.equal((await pixrace.inspect(turned)).orientation, orientation)
    }
  })

  /** Primaries, transfer, matrix (code points of H.273) and range. */
  const described = ([primaries, transfer, matrix, fullRange]) =>
    addProperty(
      file,
      'colr',
      Buffer.concat([Buffer.from('nclx'), Buffer.from([0, primaries, 0, transfer, 0, matrix, fullRange])]),
    )

  // Without a description of its own the stream's counts, which is [1, 13, 6, 0x80]: the first shows that this is so.
  for (const [kind, description, bound] of [
    ['BT.601, full range', [1, 13, 6, 0x80], 0],
    ['BT.601, limited range', [1, 13, 6, 0], 1],
    ['BT.709, full range', [1, 13, 1, 0x80], 1],
    ['BT.709, limited range', [1, 13, 1, 0], 1],
    ['BT.2020, limited range', [9, 13, 9, 0], 1],
    ['RGB planes, full range', [1, 13, 0, 0x80], 0],
  ]) {
    test(`its colour description goes before that of the stream: ${kind}`, async () => {
      const changed = described(description)
      const found = difference(await decode(changed), await shown(changed))
      assert.ok(found.largest <= bound, JSON.stringify(found))
      const { largest } = difference(await shown(file), await shown(changed))
      assert.equal(largest === 0, description.join() === '1,13,6,128')
    })
  }

  test('high dynamic range passes through', async () => {
    for (const transfer of [16, 18]) {
      const changed = described([9, transfer, 9, 0x80])
      assert.equal((await pixrace.inspect(changed)).width, 320)
      const { data, isOriginal, warnings, candidates } = await pixrace.optimize(changed)
      assert.ok(isOriginal && data.equals(changed))
      assert.deepEqual(new Set(warnings.map(({ code }) => code)), new Set(['format-skipped']))
      for (const { message } of warnings) assert.match(message, /high dynamic range/)
      assert.deepEqual(
        candidates.map(({ outcome }) => outcome),
        [...Array(4).fill('skipped'), 'won'],
      )
      for (const options of [{ keepOriginal: false }, { resize: { width: 10 } }]) {
        await assert.rejects(pixrace.optimize(changed, options), {
          code: 'ERR_PIXRACE_NO_CANDIDATE',
          message: /high dynamic range/,
        })
      }
      await assert.rejects(pixrace.score(file, changed), { code: 'ERR_PIXRACE_UNSUPPORTED_INPUT' })
    }
  })

  test('matrix coefficients that nobody shows are refused', async () => {
    const refused = { code: 'ERR_PIXRACE_UNSUPPORTED_INPUT', detected: 'AVIF with matrix coefficients 14' }
    await assert.rejects(pixrace.optimize(described([1, 13, 14, 0x80])), refused)
  })

  test('an essential property that is not understood is refused', async () => {
    const refused = { code: 'ERR_PIXRACE_UNSUPPORTED_INPUT', detected: 'AVIF with the property "clap"' }
    await assert.rejects(pixrace.optimize(addProperty(file, 'clap', Buffer.alloc(32))), refused)
  })

  test('an image sequence has pages, and passes through', async () => {
    const box = (name, ...parts) => {
      const body = Buffer.concat([Buffer.from(name), ...parts])
      const size = Buffer.alloc(4)
      size.writeUInt32BE(body.length + 4)
      return Buffer.concat([size, body])
    }
    // Version and flags, size of all samples, number of samples.
    const sizes = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7])
    const handler = box('hdlr', Buffer.alloc(8), Buffer.from('pict'), Buffer.alloc(13))
    const track = box('trak', box('mdia', handler, box('minf', box('stbl', box('stsz', sizes)))))
    const sequence = Buffer.concat([file, box('moov', track)])
    assert.equal((await pixrace.inspect(sequence)).pages, 1)
    sequence.write('avis', sequence.indexOf('miaf'), 'latin1')
    assert.equal((await pixrace.inspect(sequence)).pages, 7)
    const { data, warnings } = await pixrace.optimize(sequence)
    assert.deepEqual(data, sequence)
    assert.deepEqual(new Set(warnings.map(({ code }) => code)), new Set(['format-skipped']))
    for (const { message } of warnings) assert.match(message, /reads no animated AVIF.*7 frames/)
  })

  test('premultiplied colours are divided by alpha', async () => {
    const plain = await byLibheif('alpha-gradient.png', { lossless: true })
    const [before, after] = [await shown(plain), await shown(premultiplied(plain))]
    for (let i = 0; i < before.data.length; i += 4) {
      const alpha = before.data[i + 3]
      assert.equal(after.data[i + 3], alpha)
      for (let j = i; j < i + 3 && alpha > 0; j++) {
        const expected = Math.min(255, Math.round((before.data[j] * 255) / alpha))
        assert.ok(Math.abs(after.data[j] - expected) <= 1, `${after.data[j]} for ${expected}`)
      }
    }
  })

  test('a size or depth that the stream denies is an error', async () => {
    for (const [box, offset, change] of [
      ['ispe', 7, byte => byte - 1],
      ['ispe', 7, byte => byte + 1],
      ['ispe', 11, byte => byte + 1],
      ['av1C', 2, byte => byte ^ 0x40],
      ['av1C', 2, byte => byte ^ 0x10],
    ]) {
      const lying = patchBox(file, box, offset, change)
      await assert.rejects(
        pixrace.optimize(lying),
        { code: 'ERR_PIXRACE_CORRUPT_INPUT', format: 'avif' },
        `${box} ${offset}`,
      )
    }
  })
})

// The least careful viewer that people use; the decoder that is tested above shows a little more of the same files.
test('an AVIF scores as the picture that sharp decodes from it', async () => {
  for (const [name, file] of [
    ['photo.jpg', await own('photo.jpg', 60)],
    ['grey.png', await own('grey.png', 60)],
    ['alpha-gradient.png', await own('alpha-gradient.png', 60)],
    ['photo.jpg', await byLibheif('photo.jpg', { chromaSubsampling: '4:4:4' })],
    ['photo.jpg', await byLibheif('photo.jpg', { bitdepth: 10, chromaSubsampling: '4:2:0' })],
  ]) {
    const score = candidate => pixrace.score(fixture(name), candidate)
    const [a, b] = [await score(file), await score(await sharp(file).png().toBuffer())]
    assert.ok(a > 40 && Math.abs(a - b) < 0.01, `${name}: ${a} and ${b}`)
  }
})

test('an AVIF is an original as any other', async () => {
  const file = await byLibheif('photo.png', { quality: 30 })
  const { data, format, isOriginal } = await pixrace.optimize(file, { formats: ['png'], effort: 'fast' })
  assert.deepEqual([format, isOriginal], ['avif', true])
  assert.ok(data.equals(file))
})
