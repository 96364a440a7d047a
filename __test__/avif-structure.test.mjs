// How AVIF files are put together: grids of tiles, units of the AV1 stream that a picture does not need, colours that only
// the stream tells; and that the boxes of files that pixrace makes say what their streams say. Needs no corpus.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { buildAvif, gridOf, itemsOf, LIGHT_LEVEL, nclx, obu, obusOf } from './support/avif.mjs'
import { ownAvif, picture } from './support/avif-seeds.mjs'
import { path as browserPath, openBrowser } from './support/browser.mjs'
import { decode, difference } from './support/pixels.mjs'

const lossless = { formats: ['png'], lossless: true, keepOriginal: false, effort: 'fast' }
const shown = async file => decode((await pixrace.optimize(file, lossless)).data)

/** The same file with the streams of its coded pictures changed. */
const withStreams = (file, change) =>
  buildAvif(itemsOf(file).map(item => (item.kind === 'av01' ? { ...item, data: change(item.data) } : item)))
const withProperties = (file, change) =>
  buildAvif(itemsOf(file).map((item, at) => (at === 0 ? { ...item, properties: change(item.properties) } : item)))

const spliced = (list, at, entry) => [...list.slice(0, at), entry, ...list.slice(at)]

/** By rounding of ten bits. */
const ROUNDED = 2

/** As sRGB. */
const converted = async file =>
  decode((await pixrace.optimize(file, { formats: ['png'], quality: 100, keepOriginal: false, effort: 'fast' })).data)

let browser
before(async () => {
  if (browserPath) browser = await openBrowser()
})
after(() => browser?.close())

/** By how much what Chromium shows differs from what pixrace shows. */
async function beside(file) {
  if (!browser) return { largest: 0, color: 0 }
  const { png, error } = await browser.show({ data: file, format: 'avif' })
  assert.equal(error, undefined)
  return difference(await decode(png), await converted(file))
}

describe('units that a picture does not need are left out', () => {
  const ADDED = {
    'a light level': LIGHT_LEVEL,
    padding: { kind: 15, payload: Buffer.from([1, 2, 0x80]) },
    'a temporal delimiter': { kind: 2, payload: Buffer.alloc(0) },
    'a reserved kind': { kind: 9, payload: Buffer.from([0x80]) },
    'a list of tiles': { kind: 8, payload: Buffer.from([0, 0, 0, 0]) },
  }
  for (const [name, unit] of Object.entries(ADDED)) {
    test(name, async () => {
      const file = await ownAvif(picture(64, 48, 4))
      for (const at of [0, 1, 2]) {
        const longer = withStreams(file, stream => Buffer.concat(spliced(obusOf(stream), at, unit).map(obu)))
        assert.equal(difference(await shown(file), await shown(longer)).largest, 0)
        assert.ok((await pixrace.score(file, longer)) === 100)
      }
    })
  }
})

describe('a grid of tiles', () => {
  const KINDS = {
    'in colour': [[3], {}],
    'in one row': [[3], { columns: 4, width: 230, height: 50 }],
    'in one column': [[3], { columns: 1, width: 50, height: 250 }],
    'with alpha': [[4], {}],
    'of tiles with alpha': [[4], { alpha: 'tiles' }],
    'in "idat"': [[3], { inFile: false }],
  }
  for (const [name, [[channels], options]] of Object.entries(KINDS)) {
    test(name, async () => {
      const layout = { columns: 2, width: 110, height: 100, ...options }
      const images = await Promise.all(
        [0, 1, 2, 3].map(n =>
          picture(64, 64, channels)
            .modulate({ hue: 90 * n })
            .png()
            .toBuffer(),
        ),
      )
      const tiles = await Promise.all(images.map(image => ownAvif(sharp(image), { quality: 90 })))
      const file = gridOf(tiles, layout)
      const { width, height, hasAlpha } = await pixrace.inspect(file)
      assert.deepEqual([width, height, hasAlpha], [layout.width, layout.height, channels === 4])
      // The same tiles, decoded one by one.
      const places = tiles.map(async (tile, n) => ({
        input: (await pixrace.optimize(tile, lossless)).data,
        left: 64 * (n % layout.columns),
        top: 64 * Math.floor(n / layout.columns),
      }))
      const canvas = { width: 256, height: 256, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } }
      const whole = await sharp({ create: canvas })
        .composite(await Promise.all(places))
        .png()
        .toBuffer()
      const area = { left: 0, top: 0, width: layout.width, height: layout.height }
      const expected = await sharp(whole).extract(area).png().toBuffer()
      const { largest } = difference(await decode(expected), await shown(file))
      assert.ok(largest <= ROUNDED, `${largest}`)
      if (channels === 3) assert.ok((await beside(file)).largest <= ROUNDED)
      else if (browser) assert.equal((await browser.show({ data: file, format: 'avif' })).error, undefined)
    })
  }

  test('that does not fit its tiles is refused', async () => {
    const tile = await ownAvif(picture(64, 64))
    const options = { columns: 2, width: 110, height: 100 }
    const corrupt = { code: 'ERR_PIXRACE_CORRUPT_INPUT', format: 'avif' }
    for (const [columns, width, height] of [
      [2, 129, 100],
      [2, 64, 100],
      [1, 64, 64],
    ]) {
      const file = gridOf([tile, tile, tile, tile], { columns, width, height })
      await assert.rejects(pixrace.optimize(file), corrupt)
      await assert.rejects(pixrace.inspect(file), corrupt)
    }
    await assert.rejects(pixrace.optimize(gridOf([tile, tile, tile, await ownAvif(picture(64, 63))], options)), corrupt)
    await assert.rejects(
      pixrace.optimize(gridOf([tile, tile, tile, await ownAvif(picture(64, 64).greyscale())], options)),
      corrupt,
    )
    // A small picture cut out of a large tile would take more memory than its header says.
    const large = await ownAvif(picture(640, 640))
    await assert.rejects(pixrace.optimize(gridOf([large], { columns: 1, width: 8, height: 8 })), corrupt)
  })
})

describe('colours that no box tells are those of the stream', () => {
  /** The sequence header of libheif's files tells BT.709, sRGB, BT.601 and full range: 24 bits at a place of their own. */
  function described(file, points) {
    return withStreams(file, stream => {
      const [header, ...rest] = obusOf(stream)
      const bits = [...header.payload].map(byte => byte.toString(2).padStart(8, '0')).join('')
      const told = [1, 13, 6].map(point => point.toString(2).padStart(8, '0')).join('')
      assert.ok(bits.includes(told))
      const changed = bits.replace(told, points.map(point => point.toString(2).padStart(8, '0')).join(''))
      const payload = Buffer.from(changed.match(/.{8}/g).map(byte => Number.parseInt(byte, 2)))
      return Buffer.concat([{ ...header, payload }, ...rest].map(obu))
    })
  }
  const bare = file => withProperties(file, list => list.filter(({ name }) => name !== 'colr'))

  test('primaries, transfer and matrix', async () => {
    const file = await ownAvif(picture(96, 96))
    const plain = await converted(file)
    for (const points of [
      [12, 13, 6],
      [1, 8, 6],
      [9, 13, 9],
      [1, 13, 12],
      [1, 13, 8],
      [1, 13, 1],
    ]) {
      const changed = bare(described(file, points))
      const boxed = withProperties(bare(file), list => [...list, nclx(...points, true)])
      assert.ok(difference(plain, await converted(changed)).largest > 2, `${points} changes nothing`)
      assert.equal(difference(await converted(boxed), await converted(changed)).largest, 0, `${points}`)
      // The mean: in the darkest levels of saturated colours a rounding is a dozen of levels.
      const { color } = await beside(changed)
      assert.ok(color <= 1, `${points}: Chromium shows something else by ${color} levels`)
    }
  })

  test('a box goes before the stream', async () => {
    const file = await ownAvif(picture(64, 48))
    const changed = withProperties(bare(described(file, [12, 13, 6])), list => [...list, nclx(1, 13, 6, true)])
    assert.equal(difference(await converted(file), await converted(changed)).largest, 0)
  })

  test('high dynamic range', async () => {
    const changed = bare(described(await ownAvif(picture(64, 48)), [9, 16, 9]))
    const { isOriginal, warnings } = await pixrace.optimize(changed)
    assert.ok(isOriginal)
    assert.match(warnings[0].message, /high dynamic range/)
  })
})

describe('the boxes of our own files say what their streams say', () => {
  /** The sequence header of a still picture in its reduced form (AV1 specification, 5.5). */
  function sequenceHeader(stream) {
    const { payload } = obusOf(stream).find(({ kind }) => kind === 1)
    let at = 0
    const take = count => {
      let value = 0
      for (const end = at + count; at < end; at++) value = value * 2 + ((payload[at >> 3] >> (7 - (at & 7))) & 1)
      return value
    }
    const [profile, still, reduced, level] = [take(3), take(1), take(1), take(5)]
    assert.deepEqual([still, reduced], [1, 1])
    const [widthBits, heightBits] = [take(4) + 1, take(4) + 1]
    const [width, height] = [take(widthBits) + 1, take(heightBits) + 1]
    take(6)
    const high = take(1)
    const monochrome = profile === 1 ? 0 : take(1)
    if (take(1)) take(24)
    take(1)
    const halved = monochrome || profile === 0 ? 1 : 0
    const position = !monochrome && halved ? take(2) : 0
    return { profile, level, width, height, high, monochrome, halved, position }
  }

  const KINDS = {
    colour: () => ownAvif(picture(61, 43)),
    'soft colour (4:2:0)': () => ownAvif(picture(640, 480).blur(8)),
    grey: () => ownAvif(picture(64, 48).greyscale()),
    alpha: () => ownAvif(picture(61, 43, 4)),
    'grey with alpha': () => ownAvif(picture(64, 48, 4).greyscale()),
    EXIF: () => ownAvif(picture(33, 48).withExif({ IFD0: { Artist: 'Ada' } }), { metadata: 'keep' }),
    'Display P3': () => ownAvif(picture(64, 48).withIccProfile('p3'), { colorProfile: 'keep' }),
    large: () => ownAvif(picture(2100, 1200)),
  }
  for (const [name, make] of Object.entries(KINDS)) {
    test(name, async t => {
      const file = await make()
      const coded = itemsOf(file).filter(({ kind }) => kind === 'av01')
      for (const item of coded) {
        const { profile, level, width, height, high, monochrome, halved, position } = sequenceHeader(item.data)
        t.diagnostic(JSON.stringify({ profile, level, monochrome, halved }))
        const body = name => item.properties.find(property => property.name === name).body
        const flags = (high << 6) | (monochrome << 4) | (halved << 3) | (halved << 2) | position
        assert.deepEqual([...body('av1C')], [0x81, (profile << 5) | level, flags, 0])
        const channels = monochrome ? 1 : 3
        assert.deepEqual([...body('pixi')], [0, 0, 0, 0, channels, ...Array(channels).fill(high ? 10 : 8)])
        assert.deepEqual([body('ispe').readUInt32BE(4), body('ispe').readUInt32BE(8)], [width, height])
      }
      const { width, height } = await sharp(file).metadata()
      assert.deepEqual([width, height], [coded[0].properties[0].body.readUInt32BE(4), height])
      if (browser) assert.equal((await browser.show({ data: file, format: 'avif' })).error, undefined)
    })
  }
})
