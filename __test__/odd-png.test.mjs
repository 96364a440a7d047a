// PNGs that are valid or nearly so, and that tools write: each is shown as in Chromium 156, by every candidate that keeps all
// pixels and by the stripped original. With a browser here, it is asked too. Needs no corpus.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { openBrowser, path } from './support/browser.mjs'
import { BROKEN, ODD } from './support/odd-png.mjs'

const rgba = file => sharp(file).toColourspace('srgb').ensureAlpha().raw().toBuffer()

/** Levels that conversions of colour may differ by; the colour of what nobody sees is no matter. */
function assertShows({ shows, near }, data, name) {
  const wrong = shows.filter((level, i) => {
    const hidden = shows[i | 3] === 0 && data[i | 3] === 0
    return !hidden && Math.abs(level - data[i]) > (near ? 2 : 0)
  })
  assert.deepEqual(wrong, [], `${name} shows ${[...data]} instead of ${shows}`)
}

const LOSSLESS = { formats: ['png', 'webp'], strategy: 'all', lossless: true, colorProfile: 'srgb' }

for (const [name, odd] of Object.entries(ODD)) {
  test(name, async () => {
    const { file, size, hasAlpha, warns } = odd
    const result = await pixrace.optimize(file, LOSSLESS)
    assert.deepEqual([result.width, result.height], size)
    const codes = result.warnings.map(({ code }) => code).filter(code => code !== 'format-skipped')
    assert.deepEqual(codes, warns)
    for (const { format, data, outcome } of result.candidates.slice(0, -1)) {
      if (outcome === 'skipped') continue
      assertShows(odd, await rgba(data), format)
    }
    const info = await pixrace.inspect(file)
    const { pages, hasAlpha: alpha, orientation } = info
    assert.deepEqual([info.width, info.height, pages, alpha], [...size, 1, hasAlpha])
    // What is handed out as the original says the same.
    const { data } = result.candidates.at(-1)
    const stripped = await pixrace.inspect(data)
    assert.deepEqual({ ...stripped, bytes: 0 }, { ...info, bytes: 0 })
    assert.ok(orientation === 3 || !data.includes('eXIf'), 'an eXIf chunk that says nothing')
    assert.ok(data.includes('IEND'))
  })
}

for (const [name, file] of Object.entries(BROKEN)) {
  test(`${name} is an error`, async () => {
    await assert.rejects(pixrace.optimize(file), { code: 'ERR_PIXRACE_CORRUPT_INPUT' })
  })
}

// Candidates of 8 bits are compared with a picture of 8 bits.
describe('16 bits', () => {
  const picture = (alpha, channels = 4) => {
    const samples = Uint16Array.from({ length: 16 * 16 * channels }, (_, i) =>
      channels === 4 && i % 4 === 3 ? alpha : 257 * ((i * 7) % 256) + (i % 2),
    )
    return sharp(samples, { raw: { width: 16, height: 16, channels } })
      .toColourspace('rgb16')
      .png()
      .toBuffer()
  }
  const outcomes = async (file, options) => {
    const { candidates } = await pixrace.optimize(file, { strategy: 'all', keepOriginal: false, ...options })
    return Object.fromEntries(candidates.map(({ format, outcome }) => [format, outcome]))
  }
  const finished = outcome => outcome === 'won' || outcome === 'lost'

  for (const alpha of [65_534, 65_408, 65_407]) {
    test(`an alpha of ${alpha} is opaque with 8 bits and kept with 16`, async () => {
      const file = await picture(alpha)
      for (const options of [{}, { quality: 80 }, { minScore: 95 }]) {
        const found = await outcomes(file, options)
        assert.ok(Object.values(found).every(finished), JSON.stringify(found))
      }
      const { data } = await pixrace.optimize(file, { lossless: true, formats: ['png'], keepOriginal: false })
      const deep = image => sharp(image).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer()
      assert.ok((await deep(data)).equals(await deep(file)))
    })
  }

  test('an alpha of 65,406 is translucent with 8 bits', async () => {
    const found = await outcomes(await picture(65_406), {})
    assert.equal(found.jpeg, 'skipped')
    assert.ok(
      ['avif', 'webp', 'png'].every(format => finished(found[format])),
      JSON.stringify(found),
    )
  })

  test('colours that are grey with 8 bits are kept as grey', async () => {
    const samples = Uint16Array.from({ length: 16 * 16 * 3 }, (_, i) => 257 * Math.floor(i / 3) + (i % 3))
    const file = await sharp(samples, { raw: { width: 16, height: 16, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer()
    for (const options of [{}, { quality: 95 }]) {
      const found = await outcomes(file, options)
      assert.ok(Object.values(found).every(finished), JSON.stringify(found))
    }
  })
})

describe('Chromium', { skip: path ? false : 'no browser here' }, () => {
  let browser
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser?.close())

  for (const [name, odd] of Object.entries(ODD)) {
    test(name, async () => {
      const { candidates } = await pixrace.optimize(odd.file, { ...LOSSLESS, formats: ['png'] })
      const files = [odd.file, ...candidates.map(({ data }) => data)]
      for (const data of files.filter(Boolean)) {
        const { width, height, pixels } = await browser.pixels({ data, format: 'png' })
        assert.deepEqual([width, height], odd.size)
        // A canvas holds colours multiplied by alpha.
        assertShows({ ...odd, near: odd.near || odd.hasAlpha }, pixels, name)
      }
    })
  }
})
