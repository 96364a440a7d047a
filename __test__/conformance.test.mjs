// Every picture of the corpus goes through `optimize` twice, on one thread and on all: both give the same files byte for
// byte, or the same error. Each sound picture has an answer that is no larger than the original and shows what the
// original shows, by sharp's decoding; each broken or foreign file has the error code that is written down here.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { corpusFiles, mapBounded, withCorpus } from './support/corpus.mjs'
import { blockDifference, decode, difference } from './support/pixels.mjs'

const CORRUPT = 'ERR_PIXRACE_CORRUPT_INPUT'
const UNSUPPORTED = 'ERR_PIXRACE_UNSUPPORTED_INPUT'

/**
 * One file of every format: without a search the PNG keeps every pixel. Samples stay what they are, because sharp knows no
 * gAMA; what becomes of colours is for color.test.mjs and browser.test.mjs.
 */
const ONCE = { effort: 'fast', quality: 80, strategy: 'all', colorProfile: 'keep' }

/** Calls in flight. */
const AT_ONCE = 8

/** The PNG candidate keeps every pixel: what is left are rounding errors between two decoders of JPEG or of 16 bits. */
const DECODER_STEPS = 5

/** Mean error of a winner's blocks of 8 × 8 pixels: measured at most 1.6, and 12.1 for drawings of a few pixels. */
const WINNER_ERROR = 4
const SMALL_WINNER_ERROR = 18
const SMALL_SIDE = 64

const sha256 = data => createHash('sha256').update(data).digest('hex')

/** Everything about an answer that must not depend on the number of threads. */
function summary({ code, result }) {
  if (code) return code
  const { format, width, height, quality, isOriginal, passed, input } = result
  const warnings = result.warnings.map(warning => [warning.code, warning.format, warning.message])
  const candidates = result.candidates.map(({ data, elapsedMs, ...rest }) => ({ ...rest, data: data && sha256(data) }))
  return {
    winner: sha256(result.data),
    format,
    width,
    height,
    quality,
    isOriginal,
    passed,
    input,
    warnings,
    candidates,
  }
}

async function race({ name, read }, options) {
  try {
    return { name, result: await pixrace.optimize(read(), options) }
  } catch (error) {
    if (!error.code?.startsWith('ERR_PIXRACE_')) throw error
    return { name, code: error.code }
  }
}

/** The outcomes on all threads, after each was found equal to the one on one thread. */
async function raceTwice(files, options) {
  const run = more => mapBounded(files, AT_ONCE, file => race(file, { ...options, ...more }))
  const alone = (await run({ concurrency: 1 })).map(summary)
  const together = await run({})
  const differing = together.filter((outcome, i) => !isEqual(summary(outcome), alone[i])).map(outcome => outcome.name)
  assert.deepEqual(differing, [], 'files whose outcome depends on concurrency')
  return together
}

function isEqual(a, b) {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** What is wrong with the answer for a sound picture. */
async function faults(file, result, { samePicture }) {
  const original = file.read()
  const found = []
  if (result.data.length > original.length) found.push(`grew from ${original.length} to ${result.data.length} bytes`)
  if (!result.isOriginal && result.data.equals(original)) found.push('is the original and does not say so')
  if (!result.passed) found.push('did not pass')
  const failed = result.candidates.filter(candidate => candidate.outcome === 'failed')
  if (failed.length > 0) found.push(`${failed.map(candidate => candidate.format)} failed`)
  // Of a search the PNG may have fewer colours: then it scores less.
  const exactly = ({ data, encodes, score }) => data && encodes > 0 && (score === null || score === 100)
  const png = result.candidates.find(candidate => candidate.format === 'png' && exactly(candidate))
  const [shown, winner] = [await decode(original), await decode(result.data)]
  // Its metadata are taken out, and nothing else.
  if (result.isOriginal && difference(shown, winner).largest > 0) found.push('is the original with other pixels')
  if (!samePicture) return found
  if (winner.width !== result.width || winner.height !== result.height) found.push('has another size than it says')
  const exact = png ? difference(shown, await decode(png.data)) : { largest: 0 }
  if (exact.largest > DECODER_STEPS) found.push(`its pixels are decoded wrong: ${JSON.stringify(exact)}`)
  const { color, alpha } = blockDifference(shown, winner)
  const bound = Math.min(result.width, result.height) < SMALL_SIDE ? SMALL_WINNER_ERROR : WINNER_ERROR
  if (color > bound || alpha > 1)
    found.push(`the ${result.format} winner looks different: colour ${color}, alpha ${alpha}`)
  return found
}

/**
 * Holds a folder of the corpus against what is expected. `errors`: the code by name; all other files are sound.
 * `unlike`: sound files of which sharp shows another picture. `only`: which files of the folder are meant.
 */
async function conforms(folder, { options, errors = () => undefined, unlike = [], only = () => true }) {
  const files = corpusFiles(folder).filter(file => only(file.name))
  const outcomes = await raceTwice(files, options)
  const problems = await mapBounded(files, 2, async (file, i) => {
    const { code, result } = outcomes[i]
    const expected = errors(file.name)
    if (expected || code) return expected === code ? [] : [`${file.name}: ${code ?? 'a result'}, not ${expected}`]
    const found = await faults(file, result, { samePicture: !unlike.includes(file.name) })
    return found.map(fault => `${file.name}: ${fault}`)
  })
  assert.deepEqual(problems.flat(), [])
  return Object.fromEntries(outcomes.filter(outcome => outcome.result).map(({ name, result }) => [name, result]))
}

function pngSuite() {
  // The signature itself is destroyed: nothing says that these are PNGs.
  const noSignature = /^x(s1|s2|s4|s7|cr|lf)|^PngSuite\.(README|LICENSE)$/
  const errors = name => (noSignature.test(name) && UNSUPPORTED) || (name.startsWith('x') && CORRUPT) || undefined
  test('PngSuite: every kind of PNG, and broken ones', async () => {
    const results = await conforms('pngsuite', { options: ONCE, errors })
    assert.equal(Object.keys(results).length, 162)
  })
}

function kodak() {
  test('Kodak photos with the default options', async () => {
    const results = await conforms('kodak', { options: undefined })
    assert.equal(Object.keys(results).length, 24)
    for (const [name, { candidates, format }] of Object.entries(results)) {
      assert.deepEqual(
        candidates.map(candidate => candidate.format),
        ['avif', 'webp', 'jpeg', 'png', 'png'],
      )
      assert.notEqual(format, 'png', `${name}: a photo is no PNG`)
    }
  })
}

function webpAndSamples() {
  test('WebP photos, small PNGs and a TIFF', async () => {
    const webp = await conforms('webp', { options: ONCE })
    assert.equal(Object.keys(webp).length, 5)
    const errors = name => (name === 'lenna.tiff' ? UNSUPPORTED : undefined)
    const samples = await conforms('samples', { options: ONCE, errors })
    assert.equal(Object.keys(samples).length, 5)
  })
}

function jpegs() {
  const errors = name => {
    if (name === 'incomplete_image.jpg') return CORRUPT
    // Arithmetic coding, and twelve bits per sample.
    if (name === 'testimgari.jpg' || name === 'testorig12.jpg') return UNSUPPORTED
    return /\.jpe?g$/.test(name) ? undefined : UNSUPPORTED
  }
  const isLarge = name => name.startsWith('large_')
  test('JPEGs of every kind, and files that are none', async () => {
    const results = await conforms('jpeg-edge', { options: ONCE, errors, only: name => !isLarge(name) })
    assert.equal(Object.keys(results).length, 20)
    const cmyk = Object.entries(results).filter(([, result]) => result.input.colorSpace === 'cmyk')
    assert.deepEqual(
      cmyk.map(([name]) => name),
      ['Kiara_limited_progressive_four_components.jpg', 'cymk.jpg', 'four_components.jpg'],
    )
  })
  test('JPEGs of 33 million pixels', async () => {
    const options = { ...ONCE, formats: ['webp', 'jpeg'] }
    const results = await conforms('jpeg-edge', { options, only: isLarge })
    assert.equal(Object.keys(results).length, 3)
    const file = corpusFiles('jpeg-edge').find(({ name }) => name === 'large_no_samp_7680_4320.jpg')
    const { result } = await race(file, { ...ONCE, formats: ['avif'] })
    assert.deepEqual(await faults(file, result, { samePicture: true }), [])
  })
}

/** Frames of the animated files. */
const FRAMES = {
  'gif__anim__any-disposal.gif': 5,
  'gif__anim__border_touching_layers.gif': 2,
  'gif__anim__issue_1455_undersized.gif': 2,
  'gif__anim__large-gif-anim-combine.gif': 2,
  'gif__anim__large-gif-anim-full-frame-replace.gif': 2,
  'gif__anim__mixed-disposal.gif': 5,
  'png__apng__ball.png': 20,
  'webp__extended_images__advertises_rgba_but_frames_are_rgb.webp': 11,
  'webp__extended_images__anim.webp': 6,
}

/** libvips makes what no frame covers black instead of transparent. */
const GIF_UNLIKE_LIBVIPS = [
  'gif__anim__border_touching_layers.gif',
  'gif__anim__oob.gif',
  'gif__simple__issue_1455_oversized.gif',
]

function imageRs() {
  const errors = name => (/\.(bmp|tiff|bin)$/.test(name) ? UNSUPPORTED : undefined)
  test('Test images of image-rs: what is animated stays so', async () => {
    const results = await conforms('image-rs', { options: ONCE, errors, unlike: GIF_UNLIKE_LIBVIPS })
    assert.equal(Object.keys(results).length, 48)
    for (const [name, { input, data, candidates }] of Object.entries(results)) {
      assert.equal(input.pages, FRAMES[name] ?? 1, name)
      if (!(name in FRAMES)) continue
      assert.ok((await sharp(data).metadata()).pages > 1 || name.startsWith('png__apng'), name)
      for (const { format, data, encodes } of candidates) assert.ok(!data || encodes === 0 || format === 'webp', name)
    }
    // The screen grows to the first frame.
    assert.equal(results['gif__anim__oob.gif'].width, 40)
    assert.equal(results['gif__simple__issue_1455_oversized.gif'].width, 16)
  })
}

function graphics() {
  test('Screenshots, charts and logos', async () => {
    const results = await conforms('graphics', { options: ONCE })
    assert.equal(Object.keys(results).length, 6)
  })
}

const FOLDERS = ['pngsuite', 'kodak', 'webp', 'samples', 'jpeg-edge', 'image-rs', 'graphics']

withCorpus('conformance', FOLDERS, () => {
  for (const define of [pngSuite, kodak, webpAndSamples, jpegs, imageRs, graphics]) define()
})
