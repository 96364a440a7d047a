// JPEGs that say more than their pixels: the size of their layout, profiles in segments, gain maps. As in Chromium 156, which is
// asked too where it is there. Needs no corpus.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import { run } from '../esm/core/jobs.js'
import { sizeOf } from '../esm/core/source.js'
import { chunk } from '../fixtures/lib/png.mjs'
import pixrace from '../index.js'
import { openBrowser, path } from './support/browser.mjs'
import { withChunks } from './support/chunks.mjs'
import { exifBlock, readExif } from './support/exif.mjs'
import { DENSITIES, dense, HEIGHT, PAIRS, PROFILES, paired, profiled, WIDTH } from './support/odd-jpeg.mjs'

const ALL = { strategy: 'all', effort: 'fast' }
const seenSize = ({ layout, width, height, orientation }) => {
  if (layout) return [layout.width, layout.height]
  return orientation > 4 ? [height, width] : [width, height]
}
const finished = ({ candidates }) => candidates.filter(({ data }) => data)
const isCorrected = ([across, down]) => across * down !== WIDTH * HEIGHT

describe('the size that a page gives a JPEG', () => {
  for (const [name, [tags, size]] of Object.entries(DENSITIES)) {
    for (const metadata of ['strip', 'keep']) {
      test(`${name}: ${metadata}`, async () => {
        const result = await pixrace.optimize(await dense(tags), { ...ALL, metadata })
        assert.deepEqual(seenSize(result.input), size)
        assert.equal(result.input.layout !== undefined, isCorrected(size))
        assert.deepEqual([result.width, result.height], size)
        const formats = finished(result).map(({ format }) => format)
        const possible = isCorrected(size) ? ['jpeg', 'jpeg'] : ['avif', 'webp', 'jpeg', 'png', 'jpeg']
        assert.deepEqual(formats, possible)
        for (const { data } of finished(result)) assert.deepEqual(seenSize(await pixrace.inspect(data)), size)
      })
    }
  }

  test('keeps nothing else of EXIF when metadata are stripped', async () => {
    const result = await pixrace.optimize(await dense({ ...DENSITIES.turned[0] }), ALL)
    const [made, original] = await Promise.all(
      finished(result).map(async ({ data }) => Object.keys(readExif((await sharp(data).metadata()).exif).tags)),
    )
    const tags = [0x011a, 0x011b, 0x0128, 0x8769].map(String)
    assert.deepEqual([made, original], [tags, [String(0x0112), ...tags]])
  })

  test('is not taken from EXIF of another format', async () => {
    const exif = exifBlock(DENSITIES['half the pixels at 144 dpi'][0])
    const png = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#456' } })
      .png()
      .toBuffer()
    const file = withChunks(png, chunk('eXIf', exif))
    const result = await pixrace.optimize(file, { ...ALL, metadata: 'keep' })
    assert.deepEqual([result.input.layout, result.width, result.height], [undefined, WIDTH, HEIGHT])
    const { data } = result.candidates.find(({ format }) => format === 'jpeg')
    assert.equal((await pixrace.inspect(data)).layout, undefined)
    assert.ok((await sharp(data).metadata()).exif, 'EXIF is kept')
  })

  test('says why other formats are skipped, and what to do', async () => {
    const file = await dense(DENSITIES['half the pixels at 144 dpi'][0])
    const { warnings } = await pixrace.optimize(file, { formats: ['avif', 'jpeg'] })
    assert.deepEqual(
      warnings.map(({ code, format }) => [code, format]),
      [['format-skipped', 'avif']],
    )
    assert.match(warnings[0].message, /40 × 20 pixels are shown as 20 × 10.*`resize`/)
    const none = pixrace.optimize(file, { formats: ['webp'], keepOriginal: false })
    await assert.rejects(none, { code: 'ERR_PIXRACE_NO_CANDIDATE', message: /resize/ })
  })

  for (const metadata of ['strip', 'keep']) {
    for (const width of [WIDTH, 30, 20]) {
      test(`is that of its pixels once a size is asked for: ${width}, ${metadata}`, async () => {
        const file = await dense(DENSITIES.turned[0])
        const options = { ...ALL, metadata, resize: { height: width } }
        const result = await pixrace.optimize(file, options)
        assert.deepEqual([result.width, result.height], [width / 2, width])
        assert.deepEqual(
          finished(result).map(({ format }) => format),
          ['avif', 'webp', 'jpeg', 'png'],
        )
        for (const { data } of finished(result)) {
          const info = await pixrace.inspect(data)
          assert.deepEqual([info.width, info.height, info.layout], [width / 2, width, undefined])
        }
      })
    }
  }
})

describe('a profile in segments', () => {
  for (const [name, [segments, applied]] of Object.entries(PROFILES)) {
    test(name, async () => {
      const file = await profiled(segments)
      const { data } = await pixrace.optimize(file, { formats: ['png'], keepOriginal: false })
      const [red, green] = await sharp(data).toColourspace('srgb').removeAlpha().raw().toBuffer()
      assert.equal(green > red, applied)
    })
  }
})

describe('a gain map', () => {
  for (const [name, [first, second, message]] of Object.entries(PAIRS)) {
    test(name, async () => {
      const file = await paired(first, second)
      const lost = async options => {
        const { warnings } = await pixrace.optimize(file, { formats: ['jpeg'], ...options })
        return warnings.filter(({ code }) => code === 'metadata-dropped').map(warning => warning.message)
      }
      assert.deepEqual(await lost({ metadata: 'strip' }), [])
      const told = await lost({ metadata: 'keep' })
      assert.equal(told.length, message ? 1 : 0)
      if (message) assert.match(told[0], message)
    })
  }
})

describe('Chromium', { skip: path ? false : 'no browser here' }, () => {
  let browser
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser?.close())

  for (const [name, [tags, size]] of Object.entries(DENSITIES)) {
    test(`gives the size to ${name}`, async () => {
      const file = await dense(tags)
      const results = await Promise.all(['strip', 'keep'].map(metadata => pixrace.optimize(file, { ...ALL, metadata })))
      const files = [{ data: file, format: 'jpeg' }, ...results.flatMap(finished)]
      for (const { data, format } of files) {
        const { width, height } = await browser.pixels({ data, format })
        assert.deepEqual([width, height], size, format)
      }
    })
  }

  test('shows pixels once a size is asked for', async () => {
    const file = await dense(DENSITIES.turned[0])
    for (const metadata of ['strip', 'keep']) {
      const result = await pixrace.optimize(file, { ...ALL, metadata, resize: { height: 30 } })
      for (const { data, format } of finished(result)) {
        const { width, height } = await browser.pixels({ data, format })
        assert.deepEqual([width, height], [15, 30], format)
      }
    }
  })

  for (const [name, [segments, applied]] of Object.entries(PROFILES)) {
    test(`reads a profile: ${name}`, async () => {
      const [red, green] = (await browser.pixels({ data: await profiled(segments), format: 'jpeg' })).pixels
      assert.equal(green > red, applied)
    })
  }
})

describe('the build layer', () => {
  const job = { kind: 'picture', engine: { effort: 'fast' }, formats: ['webp', 'jpeg'], placeholder: null }
  const sizes = ({ images }) => images.map(({ format, width, height }) => [format, width, height])

  test('gives an image the size that a page gave it', async () => {
    const file = await dense(DENSITIES.turned[0])
    assert.deepEqual(await sizeOf(file), { width: 10, height: 20 })
    assert.deepEqual(sizes(await run(file, { ...job, widths: [] })), [['jpeg', 10, 20]])
  })

  test('lists widths in pixels', async () => {
    const file = await dense(DENSITIES.turned[0])
    const listed = sizes(await run(file, { ...job, widths: [10, 400] }))
    const expected = [10, 20].flatMap(width => ['webp', 'jpeg'].map(format => [format, width, 2 * width]))
    assert.deepEqual(listed, expected)
  })
})
