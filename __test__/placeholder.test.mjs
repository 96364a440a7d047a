// Shows what `placeholder` gives: a short data URL that sharp reads, of the picture's aspect ratio and like it in every
// region, or its average colour; of pictures with alpha, in grey, with 16 bits and of one pixel; resized if the picture is.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'
import { decode } from './support/pixels.mjs'

const FAST = { formats: ['webp'], quality: 50, effort: 'fast' }
const PICTURES = [
  'photo.png',
  'photo.jpg',
  'gradient.png',
  'text.png',
  'logo-alpha.png',
  'alpha-gradient.png',
  'palette-alpha.png',
  'grey.png',
  'grey-alpha.png',
  'rgb16.png',
  'rgba16.png',
  'orientation-6.jpg',
  'still.gif',
]
// Longest side, most characters, and how far the means of a quarter may be from the picture's: ThumbHash keeps few waves of
// colour and of alpha, with 4 bits each.
const URLS = {
  blur: { side: 16, characters: 500, color: 8, alpha: 6 },
  thumbhash: { side: 32, characters: 1000, color: 32, alpha: 24 },
}

const placeholderOf = async (file, placeholder, more = {}) =>
  (await pixrace.optimize(file, { ...FAST, ...more, placeholder })).placeholder

/** The file in a data URL. */
function fileOf(url) {
  const [, base64] = url.match(/^data:image\/webp;base64,([A-Za-z0-9+/]+={0,2})$/) ?? assert.fail(url)
  const file = Buffer.from(base64, 'base64')
  assert.equal(file.toString('base64'), base64)
  return file
}

/** Mean colour, weighted by alpha, and mean alpha of each quarter of a picture. */
function quarters({ width, height, data }) {
  const sums = Array.from({ length: 4 }, () => [0, 0, 0, 0, 0])
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // A pixel in the middle counts for both sides.
      const [left, top] = [(2 * x + 1) / width, (2 * y + 1) / height].map(at => (at < 1 ? [0] : at > 1 ? [1] : [0, 1]))
      const [r, g, b, alpha] = data.subarray((y * width + x) * 4)
      for (const quarter of top.flatMap(row => left.map(column => 2 * row + column))) {
        ;[r * alpha, g * alpha, b * alpha, alpha, 1].forEach((value, i) => {
          sums[quarter][i] += value
        })
      }
    }
  }
  return sums.map(([r, g, b, alpha, count]) => ({
    color: [r, g, b].map(sum => sum / Math.max(alpha, 1)),
    alpha: alpha / count,
  }))
}

for (const [kind, bounds] of Object.entries(URLS)) {
  describe(`'${kind}'`, () => {
    for (const name of PICTURES) {
      it(`${name}: a small picture like it`, async () => {
        const url = await placeholderOf(fixture(name), kind)
        assert.ok(url.length <= bounds.characters, `${url.length} characters`)
        const [shown, picture] = [await decode(fileOf(url)), await decode(fixture(name))]
        const size = { width: shown.width, height: shown.height, fit: 'fill' }
        const raw = { width: picture.width, height: picture.height, channels: 4 }
        const small = await sharp(picture.data, { raw }).resize(size).raw().toBuffer()
        assert.equal(Math.max(shown.width, shown.height), bounds.side)
        const scale = bounds.side / Math.max(picture.width, picture.height)
        const wanted = [picture.width, picture.height].map(side => Math.max(1, Math.round(side * scale)))
        assert.deepEqual([shown.width, shown.height], wanted)
        const [found, expected] = [quarters(shown), quarters({ ...shown, data: small })]
        expected.forEach(({ color, alpha }, i) => {
          assert.ok(Math.abs(alpha - found[i].alpha) <= bounds.alpha, `alpha of ${i}: ${alpha} ${found[i].alpha}`)
          // Colour counts as far as it is seen.
          const far = color.map((value, c) => (Math.abs(value - found[i].color[c]) * alpha) / 255)
          assert.ok(Math.max(...far) <= bounds.color, `colour of ${i}: ${color} ${found[i].color}`)
        })
      })
    }

    it('has alpha if the picture has', async () => {
      for (const [name, alpha] of [
        ['logo-alpha.png', true],
        ['photo.png', false],
        ['opaque-rgba.png', false],
      ]) {
        const { hasAlpha } = await sharp(fileOf(await placeholderOf(fixture(name), kind))).metadata()
        assert.equal(hasAlpha, alpha, name)
      }
    })

    it('is there for one pixel, and for very narrow pictures', async () => {
      for (const name of ['pixel.png', 'wide.png', 'tall.png', 'too-wide-for-webp.png']) {
        const url = await placeholderOf(fixture(name), kind, { formats: ['png'] })
        const { width, height } = await sharp(fileOf(url)).metadata()
        assert.ok(Math.max(width, height) <= bounds.side && url.length <= bounds.characters)
      }
    })

    it('stays within its bound for noise with alpha', async () => {
      let seed = 1
      const noise = Buffer.alloc(300 * 200 * 4).map(() => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
        return seed >>> 24
      })
      const raw = { width: 300, height: 200, channels: 4 }
      // Some small enough that nothing is averaged.
      for (const width of [300, 16, 32]) {
        const file = await sharp(noise, { raw }).extract({ left: 0, top: 0, width, height: Math.min(width, 200) })
        const url = await placeholderOf(await file.png().toBuffer(), kind)
        assert.ok(url.length <= bounds.characters, `${width}: ${url.length} characters`)
      }
    })

    it('shows what resize leaves', async () => {
      const square = { resize: { width: 120, height: 120, fit: 'cover' } }
      const { width, height } = await sharp(fileOf(await placeholderOf(fixture('photo.png'), kind, square))).metadata()
      assert.deepEqual([width, height], [bounds.side, bounds.side])
    })
  })
}

describe("'color'", () => {
  /** The same by sharp: premultiplied means over that of alpha. */
  async function expected(name) {
    const image = sharp(fixture(name), { ignoreIcc: true }).toColourspace('srgb')
    const { channels } = await image.clone().stats()
    const deep = name.includes('16')
    if (channels.length === 1 && !deep) return Array(3).fill(channels[0].mean)
    if (channels.length === 3 && !deep) return channels.map(({ mean }) => mean)
    const { data } = await decode(fixture(name))
    const sums = [0, 0, 0, 0]
    for (let i = 0; i < data.length; i += 4) {
      for (let c = 0; c < 3; c++) sums[c] += data[i + c] * data[i + 3]
      sums[3] += data[i + 3]
    }
    return sums.slice(0, 3).map(sum => sum / sums[3])
  }

  // Of 16 bits the test sees 8, cut off.
  for (const name of PICTURES) {
    it(name, async () => {
      const color = await placeholderOf(fixture(name), 'color')
      assert.match(color, /^#[0-9a-f]{6}$/)
      const found = [1, 3, 5].map(at => Number.parseInt(color.slice(at, at + 2), 16))
      const wanted = await expected(name)
      found.forEach((value, c) => {
        assert.ok(Math.abs(value - wanted[c]) <= (name.includes('16') ? 1.5 : 0.75), `${found} is not ${wanted}`)
      })
    })
  }

  it('is exact for one colour', async () => {
    for (const background of ['#102030', '#ffffff', '#00ff01']) {
      const create = { width: 50, height: 20, channels: 3, background }
      const file = await sharp({ create }).png().toBuffer()
      assert.equal(await placeholderOf(file, 'color'), background)
    }
  })

  it('is null where nothing is visible', async () => {
    const create = { width: 20, height: 20, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } }
    const file = await sharp({ create }).png().toBuffer()
    assert.equal(await placeholderOf(file, 'color'), null)
    assert.ok((await placeholderOf(file, 'blur')).startsWith('data:'))
    assert.ok((await placeholderOf(file, 'thumbhash')).startsWith('data:'))
  })
})

describe('placeholder', () => {
  it('is null unless it is asked for, and changes no byte', async () => {
    const plain = await pixrace.optimize(fixture('photo.png'), FAST)
    assert.equal(plain.placeholder, null)
    for (const placeholder of ['thumbhash', 'blur', 'color']) {
      const result = await pixrace.optimize(fixture('photo.png'), { ...FAST, placeholder })
      assert.deepEqual(result.data, plain.data)
    }
  })

  it('is the same every time, on any number of threads and from optimizeSync', async () => {
    for (const placeholder of ['thumbhash', 'blur', 'color']) {
      const first = await placeholderOf(fixture('photo.jpg'), placeholder)
      assert.equal(await placeholderOf(fixture('photo.jpg'), placeholder, { concurrency: 1 }), first)
      assert.equal(pixrace.optimizeSync(fixture('photo.jpg'), { ...FAST, placeholder }).placeholder, first)
    }
  })

  it('has the colours that are seen, also of a picture that keeps its profile', async () => {
    const file = await sharp(fixture('photo.png')).withIccProfile('p3').png().toBuffer()
    const converted = await placeholderOf(file, 'color', { colorProfile: 'srgb' })
    const kept = await placeholderOf(file, 'color', { colorProfile: 'keep' })
    const levels = color => [1, 3, 5].map(at => Number.parseInt(color.slice(at, at + 2), 16))
    const unmanaged = await placeholderOf(await sharp(file, { ignoreIcc: true }).png().toBuffer(), 'color')
    assert.ok(
      levels(kept).every((level, i) => Math.abs(level - levels(converted)[i]) <= 1),
      `${kept}, not ${converted}`,
    )
    assert.notEqual(unmanaged, converted)
  })
})
