// Animations that are broken or too long: typed errors, in bounded memory.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'
import { gifFrame, gifOf } from './support/gif.mjs'

const CORRUPT = { code: 'ERR_PIXRACE_CORRUPT_INPUT' }

describe('a broken animation', () => {
  const good = color => gifFrame({ width: 8, height: 8, pixels: Array(64).fill(color) })
  const short = gifFrame({ width: 8, height: 8, pixels: Array(20).fill(1) })
  const file = (frames, more) =>
    gifOf({
      width: 8,
      height: 8,
      palette: [
        [0, 0, 0],
        [255, 0, 0],
      ],
      frames,
      ...more,
    })

  test('is an error, whichever frame is broken, whatever is asked for', async () => {
    const broken = {
      first: file([short, good(1), good(0)]),
      middle: file([good(0), short, good(0)]),
      last: file([good(0), good(1), short]),
      'an unknown block': file([good(0), good(1), Buffer.from([0x99, 1, 2]), good(0)]),
      'an unknown block behind the first frame': file([good(0), Buffer.from([0x99, 1, 2]), good(1)], { repeat: 0 }),
    }
    for (const [where, input] of Object.entries(broken)) {
      for (const options of [{}, { quality: 50 }, { lossless: true }, { formats: ['jpeg'] }, { maxBytes: 10 }]) {
        await assert.rejects(pixrace.optimize(input, options), CORRUPT, `${where} ${JSON.stringify(options)}`)
      }
    }
  })

  test('is an error wherever a GIF or WebP breaks off', async () => {
    const gif = file([good(0), good(1), good(0)], { repeat: 2 })
    // The trailer is the last byte; a WebP may be padded by one.
    for (const [input, last] of [
      [gif, gif.length - 1],
      [await sharp(gif, { animated: true }).webp({ lossless: true }).toBuffer(), undefined],
      [fixture('animated.webp'), undefined],
    ]) {
      const step = Math.ceil(input.length / 200)
      for (let length = 20; length < (last ?? input.length - 1); length += step) {
        const { code } = await pixrace.optimize(input.subarray(0, length), { quality: 50 }).catch(error => error)
        assert.match(String(code), /^ERR_PIXRACE_(CORRUPT|UNSUPPORTED)_INPUT$/, `${length} of ${input.length} bytes`)
      }
    }
  })

  test('is no still picture that lost its trailer', async () => {
    const still = file([good(1)], { trailer: false })
    assert.equal((await pixrace.optimize(still, { quality: 50 })).input.pages, 1)
    await assert.rejects(pixrace.optimize(file([good(1)], { trailer: false, repeat: 0 })), CORRUPT)
    await assert.rejects(pixrace.optimize(file([good(1), good(0).subarray(0, 5)], { trailer: false })), CORRUPT)
  })
})

describe('limits.maxFrames', () => {
  const pixel = gifFrame({ width: 1, height: 1, pixels: [1] })
  const many = (count, width, height) =>
    gifOf({
      width,
      height,
      palette: [
        [0, 0, 0],
        [255, 0, 0],
      ],
      repeat: 0,
      frames: Array(count).fill(pixel),
    })

  for (const [width, height] of [
    [1, 1],
    [320, 240],
  ]) {
    test(`bounds an animation of ${width} × ${height} before its pixels are decoded`, async () => {
      const input = many(10_000, width, height)
      const before = process.resourceUsage().maxRSS
      const refused = { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'maxFrames', actual: 10_000, bound: 2000 }
      await assert.rejects(pixrace.optimize(input), refused)
      assert.throws(() => pixrace.optimizeSync(input), refused)
      assert.equal((await pixrace.inspect(input)).pages, 10_000)
      assert.equal(await pixrace.score(input, input), 100)
      assert.ok(process.resourceUsage().maxRSS - before < 64 * 1024)
    })
  }

  test('can be set', async () => {
    const input = many(30, 4, 4)
    const refused = { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'maxFrames', actual: 30, bound: 29 }
    await assert.rejects(pixrace.optimize(input, { limits: { maxFrames: 29 } }), refused)
    assert.equal((await pixrace.optimize(input, { limits: { maxFrames: 30 } })).input.pages, 30)
  })

  test('is joined by a bound on the pixels of all frames, and of frames beyond the screen', async () => {
    const large = { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'animationPixels', bound: 4_147_200_000 }
    await assert.rejects(pixrace.optimize(many(500, 3000, 3000)), large)
    const wide = Buffer.from(pixel)
    wide.writeUInt16LE(65535, 13)
    wide.writeUInt16LE(65535, 15)
    const beyond = gifOf({ width: 4, height: 4, palette: [[0, 0, 0]], frames: [pixel, wide] })
    await assert.rejects(pixrace.optimize(beyond), { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'maxPixels' })
    const screen = gifOf({ width: 65535, height: 65535, palette: [[0, 0, 0]], frames: [pixel, pixel] })
    await assert.rejects(pixrace.optimize(screen), { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'maxPixels' })
    const nothing = gifFrame({ width: 0, height: 0, pixels: [] })
    const empty = gifOf({ width: 0, height: 0, palette: [[0, 0, 0]], frames: [nothing, pixel] })
    await assert.rejects(pixrace.optimize(empty), CORRUPT)
  })
})
