// AVIF as input: what pixrace decodes is what sharp (libheif and libaom) decodes, up to the rounding of two colour
// conversions; the header says what the file says; orientation, premultiplied alpha and image sequences are understood; a
// cut or changed file ends with a typed error or a picture. Needs no corpus.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import pixrace from '../index.js'
import { patchBox, replaceBox } from './support/boxes.mjs'
import { fixture } from './support/fixtures.mjs'
import { decode, difference } from './support/pixels.mjs'

const lossless = { formats: ['png'], lossless: true, keepOriginal: false, effort: 'fast' }
const shown = async file => decode((await pixrace.optimize(file, lossless)).data)

/** The file that pixrace makes: 10 bits, full range, 4:4:4 or grey. */
const own = async (name, quality = 80) =>
  (await pixrace.optimize(fixture(name), { formats: ['avif'], quality, effort: 'fast', keepOriginal: false })).data
const byLibheif = (name, options, shape = image => image) =>
  shape(sharp(fixture(name)))
    .avif({ effort: 0, quality: 70, ...options })
    .toBuffer()
const cropped = (width, height) => image => image.extract({ left: 3, top: 5, width, height })

/** Largest difference of a sample, and mean. */
const SAME = { largest: 2, color: 0.3, alpha: 0 }
/** Where chroma is subsampled, the two interpolate differently. */
const SUBSAMPLED = { largest: 70, color: 0.8, alpha: 0 }

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
  '10 bits, 4:4:4': [() => own('photo.jpg'), SAME],
  '10 bits, grey': [() => own('grey.png'), SAME],
  '10 bits, alpha': [() => own('alpha-gradient.png'), { ...SAME, alpha: 0.5 }],
  '10 bits, 3 rows': [() => own('wide.png'), SAME],
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
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['color-profile-ignored'],
    )
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
      const turned = replaceBox(file, 'pixi', box, [value])
      const { width, height, ...info } = await pixrace.inspect(turned)
      assert.deepEqual([width, height, info.orientation], [320, 240, orientation])
      // sharp turns by EXIF's number what it decodes from the file without the box.
      const upright = await sharp(file).withMetadata({ orientation }).png().toBuffer()
      const found = difference(await decode(upright), await shown(turned))
      assert.ok(found.largest <= SAME.largest, JSON.stringify(found))
    })
  }

  test('both boxes: turned first, then mirrored', async () => {
    const turned = replaceBox(replaceBox(file, 'pixi', 'irot', [1]), 'colr', 'imir', [1])
    assert.equal((await pixrace.inspect(turned)).orientation, 7)
    const other = replaceBox(replaceBox(file, 'pixi', 'irot', [3]), 'colr', 'imir', [1])
    assert.equal((await pixrace.inspect(other)).orientation, 5)
  })

  test('its colour description goes before that of the stream', async () => {
    const asBt709 = patchBox(file, 'colr', 9, () => 1)
    assert.notDeepEqual(await shown(asBt709), await shown(file))
    const limited = patchBox(file, 'colr', 10, byte => byte & 0x7f)
    assert.notDeepEqual(await shown(limited), await shown(file))
  })

  test('high dynamic range and unknown colour are refused', async () => {
    for (const [offset, value, detected] of [
      [7, 16, 'AVIF with high dynamic range (PQ)'],
      [7, 18, 'AVIF with high dynamic range (HLG)'],
      [9, 14, 'AVIF with matrix coefficients 14'],
    ]) {
      const changed = patchBox(file, 'colr', offset, () => value)
      await assert.rejects(pixrace.optimize(changed), { code: 'ERR_PIXRACE_UNSUPPORTED_INPUT', detected })
    }
  })

  test('a grid of tiles is refused', async () => {
    const grid = Buffer.from(file)
    grid.write('grid', grid.indexOf('av01', grid.indexOf('infe')), 'latin1')
    const refused = { code: 'ERR_PIXRACE_UNSUPPORTED_INPUT', detected: 'AVIF with a grid of tiles' }
    await assert.rejects(pixrace.optimize(grid), refused)
    await assert.rejects(pixrace.inspect(grid), refused)
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

test('an AVIF scores as the picture that sharp decodes from it', async () => {
  for (const file of [await own('photo.jpg', 60), await byLibheif('photo.jpg', { chromaSubsampling: '4:4:4' })]) {
    const [ours, theirs] = [file, await sharp(file).png().toBuffer()]
    const [a, b] = [await pixrace.score(fixture('photo.jpg'), ours), await pixrace.score(fixture('photo.jpg'), theirs)]
    assert.ok(a > 50 && Math.abs(a - b) < 0.1, `${a} and ${b}`)
  }
})

test('an AVIF is an original as any other', async () => {
  const file = await byLibheif('photo.png', { quality: 30 })
  const { data, format, isOriginal } = await pixrace.optimize(file, { formats: ['png'], effort: 'fast' })
  assert.deepEqual([format, isOriginal], ['avif', true])
  assert.ok(data.equals(file))
})

describe('changed bytes', () => {
  const EXPECTED = ['done', 'ERR_PIXRACE_CORRUPT_INPUT', 'ERR_PIXRACE_UNSUPPORTED_INPUT', 'ERR_PIXRACE_LIMIT_EXCEEDED']
  /** Of each file. */
  const MUTATIONS = 150
  const folder = mkdtempSync(path.join(tmpdir(), 'pixrace-avif-'))
  after(() => rmSync(folder, { recursive: true }))

  test('end with a typed error or a picture, never with the process', async () => {
    const files = [await own('alpha-gradient.png'), await byLibheif('photo.png'), await byLibheif('logo-alpha.png')]
    const names = files.map((file, index) => {
      const name = path.join(folder, `${index}.avif`)
      writeFileSync(name, file)
      return name
    })
    const script = fileURLToPath(new URL('support/avif-fuzz-child.mjs', import.meta.url))
    const child = spawnSync(process.execPath, [script, String(MUTATIONS), ...names], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    const lines = child.stdout.trim().split('\n')
    assert.equal(child.status, 0, `the child broke off behind ${lines.at(-1)}: ${child.stderr}`)
    const answers = lines.map(line => JSON.parse(line)).filter(({ code }) => code)
    assert.equal(answers.length, MUTATIONS * files.length)
    const untyped = answers.filter(({ header, code }) => !EXPECTED.includes(header) || !EXPECTED.includes(code))
    assert.deepEqual(untyped, [])
    for (const code of EXPECTED.slice(0, 2))
      assert.ok(
        answers.some(answer => answer.code === code),
        code,
      )
  })
})
