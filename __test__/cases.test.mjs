// A table of odd images: what pixrace tells of each, every pixel of it, and what a default and a lossless call give back,
// against values; and, in Chromium, against the original.
import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { path as browserPath, openBrowser } from './support/browser.mjs'
import { CASES, caseNames, hasCases, readCase } from './support/cases.mjs'
import { decodeFrames } from './support/frames.mjs'
import { decode, difference } from './support/pixels.mjs'

/** Levels that the rounding of colour conversions may cost. */
const ROUNDED = 2
/** Mean error in levels that a default call may cost, weighted by alpha. Ruined pictures have 9 and more. */
const LOSSY = 6
/** Chromium's canvas rounds what is half transparent, and drawing density-corrected pictures resamples. */
const SHOWN_ALIKE = 1.5

const effort = 'fast'
const every = ({ frames = 1, every: own }) => {
  const animated = { formats: ['webp'], lossless: true }
  const still = { formats: ['png'], quality: 100 }
  return { ...(frames > 1 ? animated : still), ...own, keepOriginal: false, effort }
}

/** The ways to ask, by name, each with the mean error that it may cost. */
const CALLS = {
  'every pixel': [every, ROUNDED],
  'default options': [() => ({}), LOSSY],
  'no original': [() => ({ keepOriginal: false }), LOSSY],
  lossless: [() => ({ lossless: true, effort }), ROUNDED],
}

function assertPixels({ width, height, data }, pixels, near) {
  for (const [place, expected] of Object.entries(pixels)) {
    const [x, y] = place.split(',').map(Number)
    assert.ok(x < width && y < height, `${place} is not in ${width}×${height}`)
    const found = [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)]
    const off =
      found[3] === 0 && expected[3] === 0 ? 0 : Math.max(...found.map((sample, i) => Math.abs(sample - expected[i])))
    assert.ok(off <= near, `${place} is ${found} instead of ${expected}`)
  }
}

/** By sharp: size, frames, and pixels of every frame that something is known of. */
async function assertRight(result, { size, stored = size, frames = 1, loop, pixels, later = {}, near = 0 }) {
  const shown = frames > 1 ? await decodeFrames(result.data) : { ...(await decode(result.data)), frames: [] }
  assert.deepEqual([shown.width, shown.height, shown.pages ?? 1], [...stored, frames])
  if (frames > 1) assert.equal(shown.loop, loop)
  assertPixels(shown.frames[0] ?? shown, pixels, near + ROUNDED)
  for (const [frame, more] of Object.entries(later)) assertPixels(shown.frames[frame], more, near + ROUNDED)
}

const hasTransparency = async file => !(await sharp(file, { pages: -1 }).stats()).isOpaque

/** Whether nothing but the file itself may be handed out. */
const passes = ({ mayPass }, { isOriginal, data }, file) => Boolean(mayPass && isOriginal && data.equals(file))

function tell(name, row) {
  const { size, stored = size, frames = 1 } = row
  it('inspect tells size, frames and orientation as shown', async () => {
    const { width, height, pages, orientation } = await pixrace.inspect(readCase(name))
    const upright = orientation > 4 ? [height, width] : [width, height]
    assert.deepEqual([...upright, pages], [...stored, frames])
  })

  it('every pixel is right', async () => {
    const file = readCase(name)
    const result = await pixrace.optimize(file, every(row)).catch(async error => {
      const untouched = await pixrace.optimize(file)
      assert.ok(passes(row, untouched, file), error.message)
    })
    if (!result) return
    await assertRight(result, row)
    assert.equal(await hasTransparency(result.data), row.alpha ?? false)
  })

  it('a lossless call keeps it', async () => {
    const result = await pixrace.optimize(readCase(name), { lossless: true, effort })
    const { width, height } = await decode(result.data)
    assert.deepEqual([result.passed, width, height], [true, ...stored])
  })
}

/** What Chromium shows: of an original the values, of a result the original, near enough. */
function show(name, row, browser) {
  const { size, pixels, near = 0 } = row
  const shownOf = async ({ data, format }) => {
    const { error, png, width, height } = await browser().show({ data, format }, { smallest: 0 })
    assert.equal(error, undefined)
    return { ...(await decode(png)), size: [width, height] }
  }
  let original

  it('Chromium shows the values of the table', async () => {
    const data = readCase(name)
    const shown = await shownOf({ data, format: name.split('.').at(-1) })
    assert.deepEqual(shown.size, size)
    assertPixels(shown, pixels, near + ROUNDED)
    original = shown
  })

  for (const [call, [options, most]] of Object.entries(CALLS)) {
    it(`Chromium shows the result like the original: ${call}`, async t => {
      const file = readCase(name)
      const result = await pixrace.optimize(file, options(row)).catch(error => {
        if (row.mayPass) return pixrace.optimize(file)
        throw error
      })
      const shown = await shownOf(result)
      assert.deepEqual(shown.size, size)
      const { color, alpha } = difference(original, shown)
      t.diagnostic(`${result.format}, score ${result.score}, mean error ${color.toFixed(1)} and ${alpha.toFixed(1)}`)
      assert.ok(
        Math.max(color, alpha) <= Math.max(most, SHOWN_ALIKE),
        `mean error ${color} in colour, ${alpha} in alpha`,
      )
    })
  }
}

function table() {
  it('has every image, and every image is there', () => {
    assert.deepEqual(caseNames().sort(), Object.keys(CASES).sort())
  })
  for (const [name, row] of Object.entries(CASES)) {
    describe(`${name}: ${row.right}`, () => tell(name, row))
  }
}

function inChromium() {
  let browser
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser.close())
  for (const [name, row] of Object.entries(CASES)) {
    describe(`${name}: ${row.right}`, () => show(name, row, () => browser))
  }
}

if (hasCases()) {
  describe('odd images', table)
  if (browserPath) describe('odd images in Chromium', inChromium)
  else test('odd images in Chromium', { skip: 'there is no Chromium; as root on Debian `npm test` installs it' })
} else test('odd images', { skip: 'there are none; PIXRACE_CASES may say where they are' })
