// What people get to see: every picture of three folders of the corpus and of the fixtures is optimised with quality 95, a
// real Chromium shows the original and the result, and the two must look alike. Where the original is the smallest file,
// the smallest encoded one is looked at too. out/contact-sheet/ has all pairs for the eye.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, describe, it, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { path as browserPath, openBrowser, squashesAlpha } from './support/browser.mjs'
import { EXCEPTIONS } from './support/browser-exceptions.mjs'
import { writeContactSheet } from './support/contact-sheet.mjs'
import { corpusFiles, mapBounded, withCorpus } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'
import { difference } from './support/pixels.mjs'

const OPTIONS = { quality: 95 }

/** The least SSIMULACRA2 of what Chromium shows of the result against what it shows of the original. */
const LEAST = 85

/** Files that are no pictures, or not readable ones; which is which, conformance.test.mjs knows. */
const UNREADABLE = ['ERR_PIXRACE_UNSUPPORTED_INPUT', 'ERR_PIXRACE_CORRUPT_INPUT']

let browser
let alphaIsSquashed
const rows = []

/** The results to look at, by name. */
async function resultsOf(name, original) {
  const result = await pixrace.optimize(original, OPTIONS)
  // An animated PNG passes through: there is nothing but the original.
  const isAlone = result.candidates.every(({ outcome }) => ['won', 'skipped'].includes(outcome))
  if (!result.isOriginal || isAlone) return { [name]: result }
  return { [name]: result, [`${name}:encoded`]: await pixrace.optimize(original, { ...OPTIONS, keepOriginal: false }) }
}

/** How alike Chromium shows two files: `{ seen }`, the score, or `{ fault }`; and a thumbnail of each. */
async function compare(original, file) {
  const result = await browser.show(file)
  const pair = { original: original.thumbnail, result: result.thumbnail }
  if (original.error) return { ...pair, fault: `the original ${original.error}` }
  if (result.error) return { ...pair, fault: result.error }
  const [before, now] = [original, result].map(({ width, height }) => `${width}×${height}`)
  if (before !== now) return { ...pair, fault: `is shown as ${now} and the original as ${before}` }
  return { ...pair, seen: await pixrace.score(original.png, result.png) }
}

/** One row of the contact sheet for each result of a file; none if pixrace does not read it. */
async function look({ name, read }) {
  const data = read()
  let results
  try {
    results = await resultsOf(name, data)
  } catch (error) {
    if (UNREADABLE.includes(error.code)) return []
    throw error
  }
  const shown = await browser.show({ data, format: results[name].input.format })
  const found = []
  for (const [title, result] of Object.entries(results)) {
    const row = { name: title, from: result.input.format, to: result.format, ...(await compare(shown, result)) }
    // Of a picture of which only a part was compared it would be the score of something else, and takes gigabytes.
    const ownScore = async () => (shown.part ? 'unknown' : (await pixrace.score(data, result.data)).toFixed(1))
    found.push({ ...row, ...(await judge(row, result, ownScore)) })
  }
  return found
}

/** Whether a result is good, excused or neither, and why: `{ verdict, note }`. */
async function judge({ name, seen, fault }, result, ownScore) {
  if (seen >= LEAST) {
    if (!EXCEPTIONS.has(name)) return { verdict: 'good' }
    return { verdict: 'failed', note: `is good with ${seen.toFixed(1)}: take it out of the exceptions` }
  }
  const excuse = EXCEPTIONS.get(name) ?? (fault ? undefined : await browsersFault(result))
  if (excuse && (excuse.least === undefined || seen >= excuse.least))
    return { verdict: 'excepted', note: excuse.reason }
  // Whether the loss is the encoder's or the browser sees something else is the first question of whoever reads this.
  const problem = fault ?? `scores ${seen.toFixed(1)} in Chromium, ${await ownScore()} by pixrace`
  return { verdict: 'failed', note: `${problem} (${result.format})` }
}

// Debian 12's Chromium takes the alpha of every AVIF for limited range; others show the same files right.
async function browsersFault({ format, data }) {
  if (!alphaIsSquashed || format !== 'avif' || !(await pixrace.inspect(data)).hasAlpha) return undefined
  return { reason: 'This browser shows the transparency of every AVIF wrongly', least: 45 }
}

/** Asserts that all pictures among these files look alike, but for the exceptions, and that there are `count` of them. */
async function lookAlike(files, count) {
  const found = (await mapBounded(files, 2, look)).filter(group => group.length > 0)
  rows.push(...found.flat())
  const failed = found.flat().filter(row => row.verdict === 'failed')
  assert.deepEqual(
    failed.map(({ name, note }) => `${name} ${note}`),
    [],
  )
  assert.equal(found.length, count)
}

const pictures = folder => corpusFiles(folder).map(({ name, read }) => ({ name: `${folder}/${name}`, read }))

function fixtures() {
  const names = fs
    .readdirSync(new URL('../fixtures', import.meta.url))
    .filter(name => /\.(png|jpg|webp|gif)$/.test(name))
  return names.sort().map(name => ({ name: `fixtures/${name}`, read: () => fixture(name) }))
}

const pixels = async png => {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

function theMeansAreSound() {
  const names = [
    'orientation-6.jpg',
    'alpha-gradient.png',
    'rgba16.png',
    'cmyk.jpg',
    'photo.webp',
    'still.gif',
    'photo.jpg',
  ]
  for (const name of names) {
    it(`a canvas has what a screenshot shows: ${name}`, async () => {
      const file = { data: fixture(name), format: (await pixrace.inspect(fixture(name))).format }
      const shown = await browser.show(file)
      const screenshot = await pixels(await browser.screenshot(file, shown))
      assert.ok(difference(await pixels(shown.png), screenshot).largest <= 1)
    })
  }

  for (const name of ['animated.gif', 'animated.webp', 'animated.png']) {
    it(`of an animation the first frame is looked at: ${name}`, async () => {
      const file = { data: fixture(name), format: name.split('.')[1] }
      const [shown, first] = [await browser.show(file), await browser.firstFrame(file)]
      // Another frame would differ by far more than the rounding of half-transparent pixels.
      assert.ok(difference(await pixels(shown.png), await pixels(first.png)).largest <= 2)
    })
  }

  const swapRedAndBlue = picture =>
    picture.recomb([
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ])
  const wrong = {
    'red and blue swapped': ['photo.png', swapRedAndBlue],
    'red and blue of a single pixel swapped': ['pixel.png', swapRedAndBlue],
    mirrored: ['photo.png', picture => picture.flop()],
    lighter: ['photo.png', picture => picture.gamma(1.2, 1)],
    turned: ['photo.png', picture => picture.rotate(90)],
  }
  for (const [what, [name, change]] of Object.entries(wrong)) {
    it(`a wrong picture is noticed: ${what}`, async () => {
      const file = { data: fixture(name), format: 'png' }
      const shown = await browser.show(file)
      assert.equal((await compare(shown, file)).seen, 100)
      const { seen, fault } = await compare(shown, { ...file, data: await change(sharp(file.data)).png().toBuffer() })
      assert.ok(fault ?? seen < LEAST, `it scores ${seen}`)
    })
  }
}

function results() {
  it('fixtures, every orientation among them', () => lookAlike(fixtures(), 35))
  withCorpus('JPEGs of every kind', ['jpeg-edge'], () => {
    it('JPEGs of every kind', () => lookAlike(pictures('jpeg-edge'), 23))
  })
  withCorpus('test images of image-rs', ['image-rs'], () => {
    it('test images of image-rs', () => lookAlike(pictures('image-rs'), 48))
  })
  withCorpus('PngSuite', ['pngsuite'], () => {
    it('PngSuite', () => lookAlike(pictures('pngsuite'), 162))
  })
}

function inChromium() {
  before(async () => {
    browser = await openBrowser()
    alphaIsSquashed = await squashesAlpha(browser)
  })
  after(async () => {
    try {
      if (rows.length > 0) await writeContactSheet(browser, rows)
    } finally {
      await browser.close()
    }
  })
  theMeansAreSound()
  results()
  it('every exception is for a picture that was looked at', () => {
    const folders = new Set(rows.map(({ name }) => name.split('/')[0]))
    const expected = [...EXCEPTIONS.keys()].filter(name => folders.has(name.split('/')[0]))
    const seen = new Set(rows.map(row => row.name))
    assert.deepEqual(
      expected.filter(name => !seen.has(name)),
      [],
    )
  })
}

if (browserPath) describe('results of quality 95 in Chromium', inChromium)
else
  test('results of quality 95 in Chromium', { skip: 'there is no Chromium; as root on Debian `npm test` installs it' })
