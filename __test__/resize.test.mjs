// Shows what `resize` makes of a picture: its size for every fit with and without enlarging, the same picture as sharp makes
// of it with Lanczos3, edges beside transparency, padding, 16 bits, orientation; that a resized picture has no original among
// its candidates; limits; and the same bytes on any number of threads.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'
import { decode, decode16, difference } from './support/pixels.mjs'

const PNG = { formats: ['png'], lossless: true, effort: 'fast' }
const FITS = ['inside', 'cover', 'contain', 'fill']

/** What sharp calls the same. It fills and contains beyond a smaller picture only if it may enlarge. */
const sharpResize = (file, { enlarge = true, fit = 'inside', ...size }, more = {}) =>
  sharp(file, { ignoreIcc: true })
    .autoOrient()
    .resize({ ...size, fit, withoutEnlargement: !enlarge, kernel: 'lanczos3', ...more })

async function resized(file, resize, more = {}) {
  const result = await pixrace.optimize(file, { ...PNG, ...more, resize })
  const { width, height } = await sharp(result.data).metadata()
  assert.deepEqual([result.width, result.height], [width, height])
  return result
}

const sizeOf = async (file, resize) => {
  const { width, height } = await resized(file, resize)
  return [width, height]
}

describe('the size', () => {
  const photo = fixture('photo.png') // 320 × 240

  it('is the one that sharp gives, inside and where nothing is enlarged or everything may be', async () => {
    const boxes = [
      [100, 100],
      [101, 33],
      [7, 200],
      [320, 240],
      [319, 239],
      [500, 300],
      [640, 480],
      [900, 100],
    ]
    for (const name of ['photo.png', 'line-art.png', 'palette-alpha.png']) {
      const file = fixture(name)
      for (const [width, height] of boxes) {
        for (const box of [{ width, height }, { width }, { height }]) {
          for (const enlarge of [true, false]) {
            const { info } = await sharpResize(file, { ...box, enlarge }).toBuffer({ resolveWithObject: true })
            const found = await sizeOf(file, { ...box, enlarge })
            assert.deepEqual(found, [info.width, info.height], `${name} in ${JSON.stringify(box)}, enlarge: ${enlarge}`)
          }
        }
      }
    }
  })

  for (const fit of ['cover', 'contain', 'fill']) {
    it(`is the box's with '${fit}' if pixels may be enlarged, or need not be`, async () => {
      assert.deepEqual(await sizeOf(photo, { width: 400, height: 100, fit, enlarge: true }), [400, 100])
      assert.deepEqual(await sizeOf(photo, { width: 100, height: 120, fit }), [100, 120])
      assert.deepEqual(await sizeOf(photo, { width: 320, height: 240, fit }), [320, 240])
    })
  }

  it('without enlarging is the largest that needs none', async () => {
    assert.deepEqual(await sizeOf(photo, { width: 400, height: 400 }), [320, 240])
    assert.deepEqual(await sizeOf(photo, { width: 400, height: 100, fit: 'fill' }), [320, 100])
    assert.deepEqual(await sizeOf(photo, { width: 400, height: 100, fit: 'cover' }), [320, 80])
    assert.deepEqual(await sizeOf(photo, { width: 480, height: 480, fit: 'cover' }), [240, 240])
    assert.deepEqual(await sizeOf(photo, { width: 480, height: 480, fit: 'contain' }), [320, 320])
    assert.deepEqual(await sizeOf(photo, { width: 480, height: 120, fit: 'contain' }), [480, 120])
  })

  it('follows from one side and the aspect ratio, whatever the fit', async () => {
    for (const fit of FITS) {
      assert.deepEqual(await sizeOf(photo, { width: 100, fit }), [100, 75])
      assert.deepEqual(await sizeOf(photo, { height: 481, fit, enlarge: true }), [641, 481])
      assert.deepEqual(await sizeOf(photo, { height: 481, fit }), [320, 240])
    }
  })

  it('is at least one pixel', async () => {
    assert.deepEqual(await sizeOf(fixture('wide.png'), { width: 10 }), [10, 1])
    assert.deepEqual(await sizeOf(fixture('tall.png'), { width: 1, height: 1 }), [1, 1])
    assert.deepEqual(await sizeOf(fixture('pixel.png'), { width: 5, height: 3, fit: 'fill', enlarge: true }), [5, 3])
  })

  it('refers to the picture as shown', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const file = fixture(`orientation-${orientation}.jpg`)
      const result = await resized(file, { width: 60 })
      assert.deepEqual([result.width, result.height], [60, 40])
      const upright = await sharp(file).autoOrient().png().toBuffer()
      const expected = await sharpResize(upright, { width: 60 }).png().toBuffer()
      assert.ok((await pixrace.score(expected, result.data)) > 90, `orientation ${orientation}`)
    }
  })
})

describe("the picture is sharp's", () => {
  // At sizes that keep the aspect ratio to the pixel, or stretched: where a side had to be rounded, sharp cuts off what is
  // beyond it. Down to a quarter, beyond which sharp averages blocks before it filters.
  const cases = (width, height) => {
    const part = (side, share) => Math.round(side * share)
    return [
      [{ width: part(width, 0.5) }, {}],
      [{ width: part(width, 0.75), height: height * 2 }, {}],
      [{ width: part(width, 0.9), height: part(height, 0.31), fit: 'fill' }, {}],
      [{ width: part(width, 0.3), height: part(height, 0.45), fit: 'fill' }, {}],
      [{ width: part(width, 0.5), height, fit: 'contain' }, { background: { r: 0, g: 0, b: 0, alpha: 0 } }],
    ]
  }
  for (const name of ['photo.png', 'line-art.png', 'text.png', 'logo-alpha.png', 'alpha-gradient.png', 'grey.png']) {
    it(name, async () => {
      const file = fixture(name)
      const { width, height } = await pixrace.inspect(file)
      for (const [resize, more] of cases(width, height)) {
        const expected = await sharpResize(file, resize, more).png().toBuffer()
        const { data } = await resized(file, resize)
        const score = await pixrace.score(expected, data)
        assert.ok(score >= 90, `${JSON.stringify(resize)}: ${score}`)
      }
    })
  }

  // Sharp cuts after scaling, at a whole pixel: here that is the middle.
  it('in the middle of a cover', async () => {
    const file = fixture('photo.png')
    for (const [width, height] of [
      [120, 120],
      [80, 20],
      [160, 40],
    ]) {
      const expected = await sharpResize(file, { width, height, fit: 'cover' }).png().toBuffer()
      const { data } = await resized(file, { width, height, fit: 'cover' })
      assert.ok((await pixrace.score(expected, data)) > 90)
    }
  })

  it('with 16 bits, all of them', async () => {
    for (const name of ['rgb16.png', 'rgba16.png', 'grey16.png']) {
      const { data } = await resized(fixture(name), { width: 64 })
      assert.equal((await sharp(data).metadata()).depth, 'ushort', name)
      const found = await decode16(data)
      const expected = await decode16(await sharpResize(fixture(name), { width: 64 }).png().toBuffer())
      assert.deepEqual([found.width, found.height], [expected.width, expected.height])
      const errors = found.data.map((sample, i) => Math.abs(sample - expected.data[i]))
      // Half a step of 8 bits; sharp's weights are coarser than 16 bits.
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
      assert.ok(mean < 128, `${name}: ${mean}`)
      // Samples that 8 bits could not hold.
      const deep = found.data.filter(sample => sample % 257 !== 0)
      assert.ok(deep.length > found.data.length / 2, `${name}: ${deep.length} of ${found.data.length}`)
    }
  })
})

// sharp shifts what it enlarges by half a pixel of the result, so that it is no measure here.
describe('an enlarged picture', () => {
  it('is in its place: mirrored, it is the mirrored picture enlarged', async () => {
    for (const name of ['line-art.png', 'logo-alpha.png']) {
      const mirrored = await sharp(fixture(name)).flip().flop().png().toBuffer()
      const resize = { width: 701, height: 613, fit: 'fill', enlarge: true }
      const [one, other] = [await resized(fixture(name), resize), await resized(mirrored, resize)]
      const back = await sharp(other.data).flip().flop().png().toBuffer()
      const { color, alpha, largest } = difference(await decode(one.data), await decode(back))
      assert.ok(color < 0.01 && alpha < 0.01 && largest <= 1, `${name}: ${color} ${alpha} ${largest}`)
    }
  })
})

describe('transparency', () => {
  /** A red disc on nothing, whose invisible pixels are black or green. */
  const disc = hidden => {
    const data = Buffer.alloc(200 * 200 * 4)
    for (let i = 0; i < 200 * 200; i++) {
      const inside = Math.hypot((i % 200) - 99.5, Math.floor(i / 200) - 99.5) < 80
      data.set(inside ? [255, 0, 0, 255] : [0, hidden, 0, 0], i * 4)
    }
    return sharp(data, { raw: { width: 200, height: 200, channels: 4 } })
      .png()
      .toBuffer()
  }

  it('has no fringe of what is invisible', async () => {
    for (const hidden of [0, 255]) {
      for (const width of [63, 333]) {
        const { data } = await resized(await disc(hidden), { width, enlarge: true })
        const { data: pixels } = await decode(data)
        let soft = 0
        for (let i = 0; i < pixels.length; i += 4) {
          const [r, g, b, alpha] = pixels.subarray(i, i + 4)
          if (alpha > 0 && alpha < 255) soft++
          assert.ok(alpha === 0 || (r >= 250 && g === 0 && b === 0), `${r} ${g} ${b} ${alpha}`)
        }
        assert.ok(soft > 50)
      }
    }
  })

  it('fills the padding of contain, or the colour of flatten does', async () => {
    const corner = async flatten => {
      const options = { ...PNG, formats: ['png', 'jpeg'], lossless: false, quality: 90, strategy: 'all', flatten }
      const resize = { width: 100, height: 100, fit: 'contain' }
      const { candidates, warnings } = await pixrace.optimize(fixture('photo.png'), { ...options, resize })
      const { data } = await decode(candidates[0].data)
      return {
        pixel: [...data.subarray(0, 4)],
        jpeg: candidates[1].outcome,
        warnings: warnings.map(({ code }) => code),
      }
    }
    assert.deepEqual(await corner(undefined), { pixel: [0, 0, 0, 0], jpeg: 'skipped', warnings: ['format-skipped'] })
    const { pixel, jpeg, warnings } = await corner('#1234ff')
    assert.deepEqual([pixel, warnings], [[0x12, 0x34, 0xff, 255], []])
    assert.ok(['won', 'lost'].includes(jpeg))
  })
})

describe('the candidates', () => {
  const photo = fixture('photo.png')

  it('are without the original, which has another size', async () => {
    const result = await pixrace.optimize(photo, { resize: { width: 100 }, effort: 'fast', keepOriginal: true })
    assert.deepEqual(
      result.candidates.map(({ format }) => format),
      ['avif', 'webp', 'jpeg', 'png'],
    )
    assert.equal(result.isOriginal, false)
    assert.ok(result.timings.resizeMs > 0)
    assert.deepEqual([result.input.width, result.input.height], [320, 240])
    // The score is that of the resized picture.
    const reference = await resized(photo, { width: 100 })
    const score = await pixrace.score(reference.data, result.data)
    assert.ok(Math.abs(score - result.score) < 0.01 && score >= 70, `${score}, ${result.score}`)
  })

  it('have the original where the size is what was asked for', async () => {
    for (const resize of [{ width: 320 }, { width: 900 }, { height: 240, fit: 'cover' }, { width: 320, height: 900 }]) {
      const { candidates, timings } = await pixrace.optimize(photo, { ...PNG, resize })
      assert.equal(candidates.length, 2, JSON.stringify(resize))
      assert.equal(timings.resizeMs, 0)
    }
  })

  it('are none where every format is skipped', async () => {
    const options = { formats: ['jpeg'], lossless: true, resize: { width: 10 } }
    await assert.rejects(pixrace.optimize(photo, options), { code: 'ERR_PIXRACE_NO_CANDIDATE' })
  })

  it('keep every resized pixel with lossless', async () => {
    const options = { formats: ['png', 'webp'], lossless: true, strategy: 'all', resize: { width: 111 } }
    const { candidates } = await pixrace.optimize(photo, options)
    const [png, webp] = await Promise.all(candidates.map(({ data }) => decode(data)))
    assert.deepEqual([png.width, png.height], [111, 83])
    assert.deepEqual(webp, png)
  })
})

describe('limits', () => {
  const refused = (name, resize, limits, expected) =>
    assert.rejects(pixrace.optimize(fixture(name), { resize, limits }), {
      code: 'ERR_PIXRACE_LIMIT_EXCEEDED',
      ...expected,
    })

  it('hold for the resized picture, before any of it is made', async () => {
    const large = { width: 60_000, height: 60_000, fit: 'fill', enlarge: true }
    await refused('pixel.png', large, undefined, { limit: 'maxPixels', actual: 3_600_000_000, bound: 100_000_000 })
    await refused('tall.png', { width: 300, enlarge: true }, undefined, { limit: 'height', actual: 400_000 })
    await refused('wide.png', { height: 300, enlarge: true }, undefined, { limit: 'width', actual: 400_000 })
    const padded = { width: 20_000, height: 20_000, fit: 'contain' }
    await refused('too-wide-for-webp.png', { ...padded, height: 10_000 }, undefined, { limit: 'maxPixels' })
    const limits = { maxPixels: 76_800 }
    await refused('photo.png', { width: 321, enlarge: true }, limits, { limit: 'maxPixels', actual: 321 * 241 })
    assert.deepEqual((await pixrace.optimize(fixture('photo.png'), { ...PNG, limits })).width, 320)
  })

  it('do not hold what is not enlarged against it', async () => {
    const resize = { width: 65_535, height: 65_535, fit: 'cover' }
    assert.equal((await pixrace.optimize(fixture('pixel.png'), { ...PNG, resize })).width, 1)
  })
})

describe('the same bytes', () => {
  it('at every concurrency', async () => {
    const large = await sharp(fixture('photo.jpg')).resize(1500).png().toBuffer()
    const logo = await sharp(fixture('logo-alpha.png')).resize(1200).png().toBuffer()
    for (const file of [large, logo]) {
      for (const resize of [
        { width: 700 },
        { width: 1600, enlarge: true },
        { width: 500, height: 900, fit: 'cover' },
      ]) {
        const run = async concurrency => (await pixrace.optimize(file, { ...PNG, resize, concurrency })).data
        const alone = await run(1)
        for (const concurrency of [2, undefined]) assert.deepEqual(await run(concurrency), alone)
      }
    }
  })
})
