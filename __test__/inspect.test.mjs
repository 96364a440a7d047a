// Shows the small functions: inspect against what fixtures/README.md says of each file, score at its fixed points
// (identical is 100, less quality is less score, what cannot be compared is an error), and the shape of versions.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'

// Name, format, width and height as stored, and what differs from an opaque upright still picture of 8-bit RGB.
const FILES = [
  ['photo.jpg', 'jpeg', 960, 640, {}],
  ['cmyk.jpg', 'jpeg', 320, 240, { colorSpace: 'cmyk' }],
  ['exif-xmp.jpg', 'jpeg', 160, 240, { orientation: 6 }],
  ['photo.png', 'png', 320, 240, {}],
  ['logo-alpha.png', 'png', 240, 240, { hasAlpha: true }],
  ['opaque-rgba.png', 'png', 192, 128, { hasAlpha: true }],
  ['palette.png', 'png', 192, 128, {}],
  ['palette-alpha.png', 'png', 180, 80, { hasAlpha: true }],
  ['grey.png', 'png', 240, 160, { colorSpace: 'gray' }],
  ['grey-1bit.png', 'png', 240, 160, { colorSpace: 'gray', bitDepth: 1 }],
  ['grey-alpha.png', 'png', 160, 160, { colorSpace: 'gray', hasAlpha: true }],
  ['grey16.png', 'png', 192, 96, { colorSpace: 'gray', bitDepth: 16 }],
  ['rgb16.png', 'png', 192, 128, { bitDepth: 16 }],
  ['rgba16.png', 'png', 128, 96, { bitDepth: 16, hasAlpha: true }],
  ['pixel.png', 'png', 1, 1, {}],
  ['wide.png', 'png', 4000, 3, {}],
  ['animated.png', 'png', 96, 48, { hasAlpha: true, pages: 4 }],
  ['photo.webp', 'webp', 480, 320, {}],
  ['animated.webp', 'webp', 96, 96, { hasAlpha: true, pages: 5 }],
  ['still.gif', 'gif', 120, 80, { hasAlpha: true }],
  ['animated.gif', 'gif', 96, 96, { hasAlpha: true, pages: 10 }],
  ...[1, 2, 3, 4].map(orientation => [`orientation-${orientation}.jpg`, 'jpeg', 120, 80, { orientation }]),
  ...[5, 6, 7, 8].map(orientation => [`orientation-${orientation}.jpg`, 'jpeg', 80, 120, { orientation }]),
]

describe('inspect', () => {
  for (const [name, format, width, height, special] of FILES) {
    it(name, async () => {
      const file = fixture(name)
      const usual = { hasAlpha: false, bitDepth: 8, orientation: 1, pages: 1, colorSpace: 'rgb' }
      const expected = { format, width, height, bytes: file.length, ...usual, ...special }
      assert.deepEqual(await pixrace.inspect(file), expected)
    })
  }

  it('reads no further than the header', async () => {
    // Everything behind the header is missing, so nothing was decoded.
    const info = await pixrace.inspect(fixture('photo.jpg').subarray(0, 1000))
    assert.deepEqual([info.format, info.width, info.height, info.bytes], ['jpeg', 960, 640, 1000])
    assert.equal((await pixrace.inspect(fixture('bad/truncated.png'))).width, 192)
  })
})

describe('score', () => {
  const encode = async (name, options) => {
    const result = await pixrace.optimize(fixture(name), { effort: 'fast', keepOriginal: false, ...options })
    return result.data
  }

  it('is 100 for identical pictures, whatever file holds them', async () => {
    for (const name of ['photo.jpg', 'photo.webp', 'logo-alpha.png', 'still.gif', 'grey16.png', 'pixel.png']) {
      assert.equal(await pixrace.score(fixture(name), fixture(name)), 100, name)
    }
    for (const name of ['palette.png', 'exif-xmp.jpg', 'grey-alpha.png', 'cmyk.jpg']) {
      const rewritten = await encode(name, { formats: ['png'], lossless: true })
      assert.notDeepEqual(rewritten, fixture(name))
      assert.equal(await pixrace.score(fixture(name), rewritten), 100, name)
    }
  })

  for (const format of ['webp', 'jpeg']) {
    it(`falls with the quality of a ${format}`, async () => {
      const scores = []
      for (const quality of [95, 75, 50, 25, 5]) {
        const candidate = await encode('photo.png', { formats: [format], quality })
        scores.push(await pixrace.score(fixture('photo.png'), candidate))
      }
      assert.deepEqual(
        scores,
        [...scores].sort((a, b) => b - a),
      )
      assert.ok(scores[0] > 80 && scores[0] < 100 && scores.at(-1) < 40, String(scores))
    })
  }

  it('sees what happens to transparency', async () => {
    const flat = await encode('alpha-gradient.png', { formats: ['jpeg'], quality: 100, flatten: '#000000' })
    assert.ok((await pixrace.score(fixture('alpha-gradient.png'), flat)) < 30)
  })

  it('refuses pictures of different sizes as shown', async () => {
    const sizes = [
      ['photo.png', 'text.png', '320 × 240', '760 × 520'],
      ['exif-xmp.jpg', 'grey.png'],
    ]
    const [[one, other, expected, received], [turned, upright]] = sizes
    await assert.rejects(pixrace.score(fixture(one), fixture(other)), error => {
      assert.deepEqual([error.code, error.option], ['ERR_PIXRACE_INVALID_OPTION', 'candidate'])
      assert.ok(error.expected.includes(expected) && error.received.includes(received), error.message)
      return true
    })
    // 160 × 240 as stored, 240 × 160 as shown: these two can be compared.
    assert.equal(typeof (await pixrace.score(fixture(turned), fixture(upright))), 'number')
  })

  it('fails for what it cannot read, on either side', async () => {
    const sound = fixture('palette.png')
    for (const [name, code] of [
      ['bad/svg.svg', 'ERR_PIXRACE_UNSUPPORTED_INPUT'],
      ['bad/garbage.jpg', 'ERR_PIXRACE_UNSUPPORTED_INPUT'],
      ['bad/truncated.png', 'ERR_PIXRACE_CORRUPT_INPUT'],
      ['bad/bad-crc.png', 'ERR_PIXRACE_CORRUPT_INPUT'],
      ['bad/bomb.png', 'ERR_PIXRACE_LIMIT_EXCEEDED'],
    ]) {
      await assert.rejects(pixrace.score(fixture(name), sound), { code }, `${name} as reference`)
      await assert.rejects(pixrace.score(sound, fixture(name)), { code }, `${name} as candidate`)
    }
  })
})

describe('versions', () => {
  it('names pixrace, every codec and the instruction sets', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const versions = pixrace.versions()
    assert.equal(versions.pixrace, manifest.version)
    for (const role of ['avif', 'webp', 'jpeg', 'png']) assert.match(versions.codecs[role], /^[a-z].* \d+\.\d+\.\d+/)
    for (const codec of Object.values(versions.codecs)) assert.match(codec, /\d+\.\d+/)
    assert.ok(Array.isArray(versions.simd))
    for (const name of versions.simd) assert.match(name, /^[a-z0-9.]+$/)
  })

  it('hands out a new object each time', () => {
    pixrace.versions().codecs.avif = 'mine'
    assert.notEqual(pixrace.versions().codecs.avif, 'mine')
  })
})
