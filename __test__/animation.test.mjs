// An animation stays one: an animated GIF or WebP comes back as an animated WebP with the same frames, times and number of
// plays, or as the original; what cannot be encoded passes through. What is shown is looked at by sharp, frame by frame.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import pixrace from '../index.js'
import { askChild } from './support/child.mjs'
import { corpusFiles, mapBounded, withCorpus } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'
import { decodeFrames, framesAtTimesOf, largestDifference, pngOf } from './support/frames.mjs'
import { gifOf } from './support/gif.mjs'
import { growth } from './support/growth.mjs'

const DELAYS = [40, 60, 80, 100, 120, 40, 200, 50, 70, 500]
const FORMATS = ['avif', 'webp', 'jpeg', 'png']

/** A camera that moves over the trees of a photo: every pixel changes with every frame. */
async function pan(side, count, write) {
  const offsets = Array.from({ length: count }, (_, i) => ({ left: 300 + 9 * i, top: 230 + 2 * i }))
  const crop = offset => sharp(fixture('photo.jpg')).extract({ ...offset, width: side, height: side })
  const frames = await Promise.all(offsets.map(offset => crop(offset).raw().toBuffer()))
  const raw = { width: side, height: side * count, channels: 3, pageHeight: side }
  return write(sharp(Buffer.concat(frames), { raw })).toBuffer()
}

const codes = ({ warnings }) => warnings.map(({ code }) => code)
const outcomes = ({ candidates }) => Object.fromEntries(candidates.map(({ format, outcome }) => [format, outcome]))
const webpOf = ({ candidates }) => candidates.find(({ format, encodes }) => format === 'webp' && encodes > 0)

/** Asserts that `file` plays as `original` does, and gives the largest difference of any frame. */
async function assertSamePlay(original, file, { exactTimes = true } = {}) {
  const [before, after] = [await decodeFrames(original), await decodeFrames(file)]
  assert.deepEqual([after.width, after.height, after.loop], [before.width, before.height, before.loop])
  const total = delays => delays.reduce((sum, delay) => sum + delay, 0)
  if (exactTimes) assert.deepEqual(after.delay, before.delay)
  else assert.equal(total(after.delay), total(before.delay))
  const shown = framesAtTimesOf(before, after)
  return Math.max(...before.frames.map((frame, i) => largestDifference(frame, shown[i])))
}

async function frameScores(original, file) {
  const [before, after] = [await decodeFrames(original), await decodeFrames(file)]
  const shown = framesAtTimesOf(before, after)
  return mapBounded(before.frames, 2, async (frame, i) => pixrace.score(await pngOf(frame), await pngOf(shown[i])))
}

describe('an animated GIF', () => {
  let input
  before(async () => {
    input = await pan(160, 10, raw => raw.gif({ delay: DELAYS, loop: 3 }))
  })

  test('becomes a smaller animated WebP with the same frames, durations and plays', async () => {
    const result = await pixrace.optimize(input)
    assert.deepEqual([result.format, result.passed, result.isOriginal], ['webp', true, false])
    assert.deepEqual([result.width, result.height, result.input.pages], [160, 160, 10])
    assert.ok(result.data.length < input.length, `${result.data.length} of ${input.length} bytes`)
    await assertSamePlay(input, result.data)
    const scores = await frameScores(input, result.data)
    // All ten frames of so small a canvas are judged. sharp decodes by libwebp, as pixrace does.
    assert.ok(Math.min(...scores) >= 70, `${scores}`)
    assert.ok(Math.abs(Math.min(...scores) - result.score) < 0.01, `${result.score}, and ${scores}`)
    assert.deepEqual(outcomes(result), { avif: 'skipped', webp: 'won', jpeg: 'skipped', png: 'skipped', gif: 'lost' })
    assert.deepEqual(codes(result), ['format-skipped', 'format-skipped', 'format-skipped'])
    for (const { message } of result.warnings) assert.match(message, /animat.*10 frames/)
  })

  test('has the same bytes at every concurrency', async () => {
    const alone = await pixrace.optimize(input, { concurrency: 1 })
    for (const options of [{}, { concurrency: 2 }, { strategy: 'all' }]) {
      const { data, score } = await pixrace.optimize(input, options)
      assert.deepEqual([data, score], [alone.data, alone.score])
    }
    assert.deepEqual(pixrace.optimizeSync(input).data, alone.data)
  })

  test('reaches a higher floor with more bytes, and a look within a budget', async () => {
    const [fair, fine] = [
      await pixrace.optimize(input, { minScore: 50 }),
      await pixrace.optimize(input, { minScore: 85 }),
    ]
    assert.ok(fair.score >= 50 && fine.score >= 85 && fair.data.length < fine.data.length)
    for (const { encodes } of [webpOf(fair), webpOf(fine)]) assert.ok(encodes <= 2 * 7, `${encodes}`)
    const maxBytes = Math.round(fine.data.length * 0.7)
    const { data, passed, format, score } = await pixrace.optimize(input, { maxBytes })
    assert.deepEqual([format, passed], ['webp', true])
    assert.ok(data.length <= maxBytes && data.length > maxBytes / 2 && score > 50, `${data.length} bytes, ${score}`)
    await assertSamePlay(input, data)
  })

  test('meets every budget that some quality meets', async () => {
    const webp = await pan(160, 10, raw => raw.webp({ quality: 90 }))
    const sizes = [5, 20, 45, 70].map(quality => pixrace.optimizeSync(webp, { quality }).data.length)
    for (const maxBytes of sizes) {
      const { data, passed } = await pixrace.optimize(webp, { maxBytes })
      assert.ok(passed && data.length > 0.8 * maxBytes, `${data.length} of ${maxBytes}`)
    }
  })

  test('is encoded once with a quality, every pixel is kept with lossless', async () => {
    const once = await pixrace.optimize(input, { quality: 60, keepOriginal: false })
    assert.deepEqual([once.format, once.quality, once.score, webpOf(once).encodes], ['webp', 60, null, 1])
    await assertSamePlay(input, once.data)
    const exact = await pixrace.optimize(input, { lossless: true, keepOriginal: false })
    assert.deepEqual([exact.format, exact.quality], ['webp', null])
    assert.equal(await assertSamePlay(input, exact.data), 0)
  })

  test('passes through where no WebP is asked for', async () => {
    const result = await pixrace.optimize(input, { formats: ['avif', 'jpeg'] })
    assert.deepEqual([result.isOriginal, result.data], [true, input])
    const refused = { code: 'ERR_PIXRACE_NO_CANDIDATE', message: /AVIF.*animated.*JPEG has no animation/ }
    await assert.rejects(pixrace.optimize(input, { formats: ['avif', 'jpeg'], keepOriginal: false }), refused)
  })

  test('keeps EXIF and XMP of a WebP if they are wanted', async () => {
    const described = sharp(input, { animated: true })
      .withExif({ IFD0: { Artist: 'Ada' } })
      .withXmp('<x:xmpmeta/>')
    const webp = await described.webp({ quality: 95, loop: 3 }).toBuffer()
    const read = async metadata => {
      const { data } = await pixrace.optimize(webp, { metadata, quality: 50, keepOriginal: false })
      await assertSamePlay(webp, data)
      return sharp(data).metadata()
    }
    const [kept, stripped] = [await read('keep'), await read('strip')]
    assert.ok(kept.exif.includes('Ada') && kept.xmp.includes('xmpmeta'))
    assert.deepEqual([stripped.exif, stripped.xmp], [undefined, undefined])
  })

  test('is left at once when its signal says so', async () => {
    const long = await pan(360, 24, raw => raw.gif({ loop: 0 }))
    const controller = new AbortController()
    const call = pixrace.optimize(long, { signal: controller.signal })
    await sleep(300)
    controller.abort()
    await assert.rejects(call, { name: 'AbortError' })
    // One thread cannot start beside a call on all of them: the work has ended when this has.
    const started = performance.now()
    await pixrace.optimize(fixture('pixel.png'), { concurrency: 1 })
    assert.ok(performance.now() - started < 2000)
  })
})

describe('what is shown', () => {
  const losslessly = async input => (await pixrace.optimize(input, { lossless: true, keepOriginal: false })).data

  test('of a transparent GIF and WebP is the same, pixel by pixel', async () => {
    for (const name of ['animated.gif', 'animated.webp']) {
      assert.equal(await assertSamePlay(fixture(name), await losslessly(fixture(name))), 0, name)
      const result = await pixrace.optimize(fixture(name))
      assert.ok(result.passed && result.data.length <= fixture(name).length, name)
      await assertSamePlay(fixture(name), result.data)
    }
  })

  const PALETTE = [
    [0, 0, 0],
    [250, 60, 60],
    [60, 250, 60],
    [60, 60, 250],
  ]
  const fill = (area, color) => ({ ...area, pixels: Array(area.width * area.height).fill(color) })
  const WHOLE = { width: 12, height: 8 }
  const PART = { left: 3, top: 2, width: 4, height: 3 }

  for (const [dispose, name] of ['any', 'keep', 'background', 'previous'].entries()) {
    test(`of frames that are disposed by "${name}" is the same`, async () => {
      const frames = [
        fill(WHOLE, 1),
        fill(PART, 2),
        fill({ ...PART, left: 7, top: 4 }, 3),
        fill({ ...PART, left: 0 }, 0),
      ]
      // Where nothing is transparent libvips disposes to the background colour, which no browser does.
      const disposed = frames.map(frame => ({ ...frame, dispose, transparent: 9 }))
      const input = gifOf({ ...WHOLE, palette: PALETTE, repeat: 1, frames: disposed })
      assert.equal(await assertSamePlay(input, await losslessly(input)), 0)
    })
  }

  test('of frames that leave the screen, or are empty, is what lies inside it', async () => {
    const frames = [fill(WHOLE, 1), fill({ ...PART, left: 10, top: 6 }, 2), fill({ ...PART, left: 60000, top: 3 }, 3)]
    const input = gifOf({ ...WHOLE, palette: PALETTE, frames })
    const { frames: shown, delay } = await decodeFrames(await losslessly(input))
    // The third frame lies outside and changes nothing: it is merged with the second one.
    assert.deepEqual(delay, [100, 200])
    const at = (frame, x, y) => [...frame.data.subarray(4 * (y * 12 + x), 4 * (y * 12 + x) + 3)]
    assert.deepEqual(
      [at(shown[1], 9, 7), at(shown[1], 10, 6), at(shown[1], 11, 7)],
      [PALETTE[1], PALETTE[2], PALETTE[2]],
    )
  })

  test('for a very short time stays as short, and is what browsers show where frames are merged', async () => {
    const play = async (delays, colors) => {
      const frames = colors.map((color, i) => ({ ...fill(WHOLE, color), delay: delays[i] }))
      const data = await losslessly(gifOf({ ...WHOLE, palette: PALETTE, repeat: 0, frames }))
      return durations(data)
    }
    assert.deepEqual(await play([0, 1, 2, 0], [1, 2, 3, 1]), [0, 10, 20, 0])
    assert.deepEqual(await play([5, 5, 5, 5], [1, 1, 2, 2]), [100, 100])
    assert.deepEqual(await play([1, 0, 1, 5], [1, 1, 1, 2]), [300, 50])
  })

  test('is repeated as often', async () => {
    for (const [repeat, plays] of [
      [undefined, 1],
      [0, 0],
      [1, 2],
      [7, 8],
      [65535, 65535],
    ]) {
      const input = gifOf({ ...WHOLE, palette: PALETTE, repeat, frames: [fill(WHOLE, 1), fill(WHOLE, 2)] })
      const data = await losslessly(input)
      assert.equal(data.readUInt16LE(data.indexOf('ANIM') + 12), plays)
      assert.equal((await sharp(data).metadata()).loop, plays)
    }
  })

  test('never is one frame of a picture that changes, however little', async () => {
    const faint = [...Array(6).keys()].map(i => [100 + i, 100, 100])
    const frames = faint.map((_, color) => fill({ width: 64, height: 64 }, color))
    const input = gifOf({ width: 64, height: 64, palette: faint, repeat: 0, frames })
    for (const options of [{ quality: 1 }, { minScore: 30 }, { maxBytes: 400 }]) {
      const { data } = await pixrace.optimize(input, { ...options, keepOriginal: false })
      assert.ok((await sharp(data).metadata()).pages > 1, JSON.stringify(options))
    }
    const still = gifOf({ width: 64, height: 64, palette: faint, repeat: 0, frames: [frames[0], frames[0], frames[0]] })
    const { data } = await pixrace.optimize(still, { quality: 50, keepOriginal: false })
    assert.equal((await sharp(data).metadata()).pages ?? 1, 1)
  })

  /** Of the frames of a WebP, in milliseconds, as they are stored. */
  function durations(webp) {
    const found = []
    for (let at = webp.indexOf('ANMF'); at >= 0; at = webp.indexOf('ANMF', at + 1))
      found.push(webp.readUIntLE(at + 20, 3))
    return found
  }
})

test('score looks at the first frame', async () => {
  for (const name of ['animated.gif', 'animated.png', 'animated.webp']) {
    const first = await sharp(fixture(name)).png().toBuffer()
    assert.ok((await pixrace.score(fixture(name), first)) > 99, name)
  }
})

describe('an animation of a kind that is not encoded', () => {
  test('passes through: an animated PNG', async () => {
    const result = await pixrace.optimize(fixture('animated.png'))
    assert.deepEqual([result.isOriginal, result.format, result.data], [true, 'png', fixture('animated.png')])
    assert.deepEqual(
      codes(result),
      FORMATS.map(() => 'format-skipped'),
    )
    for (const { message } of result.warnings) assert.match(message, /reads no animated PNG.*4 frames/)
    const refused = { code: 'ERR_PIXRACE_NO_CANDIDATE', message: /WebP: .*animated PNG/ }
    await assert.rejects(pixrace.optimize(fixture('animated.png'), { keepOriginal: false }), refused)
    // More frames than may be encoded are no matter here.
    assert.ok((await pixrace.optimize(fixture('animated.png'), { limits: { maxFrames: 1 } })).isOriginal)
  })
})

test('animations leave no memory behind', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'pixrace-animation-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const small = join(folder, 'small.gif')
  writeFileSync(small, await pan(24, 4, raw => raw.gif({ loop: 0 })))
  const env = { PIXRACE_THREADS: '2' }
  const { samples } = await askChild('child-memory.mjs', { args: ['leak', small, 2400], flags: ['--expose-gc'], env })
  // A leaked canvas of each call would be more, at 2 KiB.
  assert.ok(growth(samples, 40) < 3, `${samples.map(Math.round)}`)
})

/** libvips fills what no frame covers with the background colour, browsers with nothing. */
const UNLIKE_LIBVIPS = ['gif__anim__border_touching_layers.gif', 'gif__anim__issue_1455_undersized.gif']

/** libvips and libwebp round differently where they blend. */
const ROUNDING = 1

withCorpus('animations of the corpus', ['image-rs'], () => {
  const animated = corpusFiles('image-rs').filter(({ name }) =>
    /^gif__anim|__anim\.webp$|but_frames_are_rgb/.test(name),
  )
  for (const { name, read } of animated) {
    test(`${name} plays the same`, async () => {
      const input = read()
      const { pages } = await pixrace.inspect(input)
      if (pages === 1) return
      const { data } = await pixrace.optimize(input, { lossless: true, keepOriginal: false })
      const result = await pixrace.optimize(input)
      assert.ok(result.passed && result.data.length <= input.length)
      if (UNLIKE_LIBVIPS.includes(name)) return
      assert.ok((await assertSamePlay(input, data, { exactTimes: false })) <= ROUNDING)
      await assertSamePlay(input, result.data, { exactTimes: false })
    })
  }
})
