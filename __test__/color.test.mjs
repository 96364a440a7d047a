// Colour: whatever profile a file has, the answer looks as the file does in a browser. Held against littlecms (inside
// sharp) for ICC profiles, and against formulas for what littlecms does not read. Files of the corpus only where it says so.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { cHRM, cICP, gAMA, hues, iCCP, withChunks } from './support/chunks.mjs'
import { ADOBE_RGB, DISPLAY_P3, iccProfile, pictureDeltaE, SRGB, toSrgb } from './support/color.mjs'
import { corpusFiles, withCorpus } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'

const PHOTO = fixture('photo.png')
/** The converted pixels, exactly. */
const EXACT = { lossless: true, colorProfile: 'srgb', keepOriginal: false, formats: ['png'], effort: 'fast' }
const codes = ({ warnings }) => warnings.map(({ code }) => code)
const rgb = (file, options) => sharp(file, options).toColourspace('srgb').removeAlpha().raw().toBuffer()

/** How far the conversion of `file` is from littlecms's, and from the samples as they are. */
async function againstLittleCms(file) {
  const { data, warnings } = await pixrace.optimize(file, EXACT)
  assert.deepEqual(warnings, [])
  const found = await rgb(data)
  const expected = pictureDeltaE(await rgb(file), found, 3)
  const untouched = pictureDeltaE(await rgb(file, { ignoreIcc: true }), found, 3)
  return { expected, untouched }
}

describe('ICC profiles become sRGB', () => {
  const PROFILES = {
    'Display P3': file => sharp(file).withIccProfile('p3').png().toBuffer(),
    'Adobe RGB': async file => withChunks(file, iCCP(iccProfile(ADOBE_RGB))),
    'gamma 1.8': async file => withChunks(file, iCCP(iccProfile({ ...SRGB, gamma: 1.8 }))),
  }
  for (const [name, embed] of Object.entries(PROFILES)) {
    test(`${name}: mean ΔE2000 to littlecms at most 1`, async () => {
      // sharp converts into the profile that it embeds, so that a photo keeps its look.
      const { expected, untouched } = await againstLittleCms(await embed(PHOTO))
      assert.ok(expected.mean <= 0.5 && expected.largest <= 3, JSON.stringify(expected))
      assert.ok(untouched.mean > 1, `${name} as it is: ${JSON.stringify(untouched)}`)
    })
  }

  test('of every hue', async () => {
    for (const space of [ADOBE_RGB, { ...DISPLAY_P3, gamma: 2.2 }]) {
      const { expected } = await againstLittleCms(withChunks(await hues(), iCCP(iccProfile(space))))
      assert.ok(expected.mean <= 0.5, JSON.stringify(expected))
    }
  })

  for (const [format, options] of Object.entries({
    jpeg: { quality: 95 },
    webp: { lossless: true },
    avif: { quality: 90 },
  })) {
    test(`from a ${format}`, async () => {
      const file = await sharp(PHOTO).withIccProfile('p3')[format](options).toBuffer()
      const { data } = await pixrace.optimize(file, EXACT)
      const { mean } = pictureDeltaE(await rgb(PHOTO), await rgb(data), 3)
      assert.ok(mean < 2, `${mean}`)
      const unmanaged = pictureDeltaE(await rgb(file, { ignoreIcc: true }), await rgb(data), 3)
      assert.ok(unmanaged.mean > 1, JSON.stringify(unmanaged))
    })
  }

  test('16 bits stay 16 bits', async () => {
    const file = withChunks(fixture('rgb16.png'), iCCP(iccProfile(ADOBE_RGB)))
    const { data } = await pixrace.optimize(file, EXACT)
    assert.equal((await pixrace.inspect(data)).bitDepth, 16)
    const sixteen = async file => {
      const samples = await sharp(file, { ignoreIcc: true })
        .toColourspace('rgb16')
        .removeAlpha()
        .raw({ depth: 'ushort' })
        .toBuffer()
      return new Uint16Array(samples.buffer, samples.byteOffset, samples.length / 2)
    }
    const [before, found] = [await sixteen(file), await sixteen(data)]
    let worst = 0
    for (let i = 0; i < before.length; i += 3) {
      const expected = toSrgb(
        ADOBE_RGB,
        [...before.subarray(i, i + 3)].map(sample => sample / 257),
      )
      for (let j = 0; j < 3; j++) worst = Math.max(worst, Math.abs(found[i + j] - expected[j] * 257))
    }
    assert.ok(worst < 128, `${worst} of 65,535`)
  })

  test('alpha stays', async () => {
    const file = withChunks(fixture('alpha-gradient.png'), iCCP(iccProfile(ADOBE_RGB)))
    const { data } = await pixrace.optimize(file, EXACT)
    const alpha = file => sharp(file).extractChannel(3).raw().toBuffer()
    assert.deepEqual(await alpha(data), await alpha(file))
  })

  test('grey stays grey, by a profile of one channel and of three', async () => {
    for (const profile of [{ gamma: 1.8 }, { ...SRGB, gamma: 1.8 }]) {
      const file = withChunks(fixture('grey.png'), iCCP(iccProfile(profile)))
      const result = await pixrace.optimize(file, EXACT)
      assert.deepEqual(codes(result), [])
      assert.equal((await pixrace.inspect(result.data)).colorSpace, 'gray')
      const [before, after] = await Promise.all(
        [file, result.data].map(f => sharp(f, { ignoreIcc: true }).raw().toBuffer()),
      )
      const expected = before.map(level => Math.round(toSrgb({ ...SRGB, gamma: 461 / 256 }, [level, level, level])[1]))
      assert.ok(after.every((level, i) => Math.abs(level - expected[i]) <= 1))
    }
  })

  test('a profile that is sRGB changes nothing', async () => {
    const file = await sharp(PHOTO).withIccProfile('srgb').png().toBuffer()
    for (const colorProfile of ['srgb', 'keep']) {
      const { data, warnings } = await pixrace.optimize(file, { ...EXACT, colorProfile })
      assert.deepEqual(await rgb(data), await rgb(PHOTO))
      assert.deepEqual(warnings, [])
      assert.ok(!data.includes('iCCP'), `${colorProfile} spends bytes on sRGB`)
    }
  })

  test('what does not belong to the samples, or is damaged, is ignored with a warning', async () => {
    const cmyk = (await sharp(await inks()).metadata()).icc
    const bad = {
      'grey for colour': iccProfile({ gamma: 1.8 }),
      cmyk,
      garbage: Buffer.from('no profile at all'.repeat(20)),
    }
    for (const [name, icc] of Object.entries(bad)) {
      const result = await pixrace.optimize(withChunks(PHOTO, iCCP(icc)), EXACT)
      assert.deepEqual(codes(result), ['color-profile-ignored'], name)
      assert.deepEqual(await rgb(result.data), await rgb(PHOTO), name)
    }
  })

  test('of any damage only typed errors and pictures come', async () => {
    const icc = iccProfile(ADOBE_RGB)
    for (let at = 0; at < icc.length; at += 3) {
      const damaged = Buffer.from(icc)
      damaged[at] ^= 0xff
      const outcome = await pixrace
        .optimize(withChunks(fixture('pixel.png'), iCCP(damaged)), EXACT)
        .catch(error => error.code)
      assert.ok(typeof outcome === 'object' || outcome === 'ERR_PIXRACE_CORRUPT_INPUT', `${at}: ${outcome}`)
    }
  })
})

/** A CMYK JPEG with its profile. */
const inks = () => sharp(PHOTO).toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 95 }).toBuffer()

describe('CMYK', () => {
  withCorpus('of the corpus', ['jpeg-edge'], () => {
    test('of the corpus: mean ΔE2000 to littlecms at most 3', async () => {
      const name = 'Kiara_limited_progressive_four_components.jpg'
      const file = corpusFiles('jpeg-edge')
        .find(file => file.name === name)
        .read()
      const { data, warnings } = await pixrace.optimize(file, EXACT)
      assert.deepEqual(warnings, [])
      const { mean } = pictureDeltaE(await rgb(file), await rgb(data), 3)
      assert.ok(mean <= 1, `${mean}`)
    })
  })

  test('by the colorimetric table of its profile', async t => {
    const file = await inks()
    const { data } = await pixrace.optimize(file, EXACT)
    const expected = littleCms(
      t,
      await sharp(file).metadata(),
      await sharp(file).pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer(),
    )
    if (!expected) return
    const found = await rgb(data)
    const { mean } = pictureDeltaE(
      Buffer.from(expected.flatMap(([i]) => [...found.subarray(i * 3, i * 3 + 3)])),
      Buffer.from(expected.flatMap(([, color]) => color)),
      3,
    )
    assert.ok(mean <= 1, `${mean}`)
  })

  test('without a profile: what each ink lets through', async () => {
    const { warnings } = await pixrace.optimize(fixture('cmyk.jpg'), EXACT)
    assert.deepEqual(warnings, [])
  })

  test('cannot be kept, and that is said', async () => {
    const result = await pixrace.optimize(await inks(), {
      colorProfile: 'keep',
      formats: ['jpeg'],
      keepOriginal: false,
    })
    assert.deepEqual(codes(result), ['color-profile-dropped'])
    assert.equal((await sharp(result.data).metadata()).icc, undefined)
  })
})

/** Pixel number and sRGB of every 97th pixel, by littlecms's own tool; nothing where it is not installed. */
function littleCms(t, { icc }, samples) {
  const directory = mkdtempSync(join(tmpdir(), 'pixrace-'))
  try {
    writeFileSync(join(directory, 'cmyk.icc'), icc)
    const pixels = Array.from({ length: Math.floor(samples.length / 4 / 97) }, (_, i) => i * 97)
    const lines = pixels.flatMap(i =>
      [...samples.subarray(i * 4, i * 4 + 4)].map(ink => ((ink / 255) * 100).toFixed(4)),
    )
    const options = ['-n', '-t1', '-i', join(directory, 'cmyk.icc'), '-o', '*sRGB']
    const { stdout, error } = spawnSync('transicc', options, { input: `${lines.join('\n')}\n`, encoding: 'utf8' })
    if (error) {
      t.skip('transicc (liblcms2-utils) is not installed')
      return
    }
    const clamp = level => Math.min(Math.max(Math.round(Number(level)), 0), 255)
    const colors = stdout
      .trim()
      .split('\n')
      .map(line => line.trim().split(/\s+/).map(clamp))
    assert.equal(colors.length, pixels.length)
    return pixels.map((i, index) => [i, colors[index]])
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe("'keep'", () => {
  const KEEP = { colorProfile: 'keep', strategy: 'all', quality: 90, keepOriginal: false }
  let p3
  before(async () => {
    p3 = await sharp(PHOTO).withIccProfile('p3').png().toBuffer()
  })

  test('carries samples and profile: ICC, and in AVIF code points', async () => {
    const { icc } = await sharp(p3).metadata()
    const result = await pixrace.optimize(p3, KEEP)
    assert.deepEqual(codes(result), [])
    for (const { format, data } of result.candidates) {
      if (format === 'avif') assert.equal(data.readUInt16BE(data.indexOf('nclx') + 4), 12)
      else assert.ok((await sharp(data).metadata()).icc.equals(icc), format)
      assert.ok((await pixrace.score(p3, data)) > 80, format)
      // Without its profile the same file is another picture.
      assert.ok(pictureDeltaE(await rgb(p3), await rgb(data, { ignoreIcc: true }), 3).mean > 1 || format === 'avif')
    }
  })

  test('AVIF is skipped where code points do not tell', async () => {
    const file = withChunks(PHOTO, iCCP(iccProfile(ADOBE_RGB)))
    const { candidates, warnings } = await pixrace.optimize(file, KEEP)
    assert.deepEqual(
      candidates.map(({ outcome }) => outcome === 'skipped'),
      [true, false, false, false],
    )
    assert.deepEqual(
      warnings.map(({ code, format }) => [code, format]),
      [['format-skipped', 'avif']],
    )
    assert.match(warnings[0].message, /profile/)
  })

  test('PNG says the rest in its own chunks, WebP and JPEG in a profile made of them', async () => {
    const cases = [[gAMA(55_556)], [gAMA(45_455), cHRM(ADOBE_RGB)], [cICP(12, 13)]]
    for (const chunks of cases) {
      const file = withChunks(PHOTO, ...chunks)
      const { candidates } = await pixrace.optimize(file, { ...KEEP, quality: 95, formats: ['png', 'webp', 'jpeg'] })
      for (const piece of chunks) assert.ok(candidates[0].data.includes(piece))
      for (const { format, data } of candidates.slice(1)) {
        assert.ok((await sharp(data).metadata()).icc, format)
        assert.ok((await pixrace.score(file, data)) > 75, format)
      }
    }
  })

  test('grey beside a profile of colour is written as colour', async () => {
    const file = withChunks(fixture('grey.png'), iCCP(iccProfile({ ...SRGB, gamma: 1.8 })))
    const { candidates } = await pixrace.optimize(file, { ...KEEP, formats: ['png', 'jpeg', 'webp'] })
    for (const { format, data } of candidates) {
      assert.equal((await sharp(data).metadata()).channels, 3, format)
      assert.ok((await pixrace.score(file, data)) > 85, format)
    }
    const one = withChunks(fixture('grey.png'), iCCP(iccProfile({ gamma: 1.8 })))
    const { candidates: grey } = await pixrace.optimize(one, { ...KEEP, formats: ['png', 'jpeg'] })
    for (const { format, data } of grey) {
      assert.equal((await sharp(data).metadata()).channels, 1, format)
      assert.ok((await pixrace.score(one, data)) > 85, format)
    }
  })

  test('is the default of lossless, which proves the samples', async () => {
    const { candidates } = await pixrace.optimize(p3, {
      lossless: true,
      keepOriginal: false,
      formats: ['png', 'webp'],
      strategy: 'all',
    })
    for (const { format, data } of candidates) {
      assert.deepEqual(await rgb(data, { ignoreIcc: true }), await rgb(p3, { ignoreIcc: true }), format)
      assert.ok((await sharp(data).metadata()).icc, format)
    }
  })

  test('the original keeps its profile whatever is asked', async () => {
    const { candidates } = await pixrace.optimize(p3, { quality: 90 })
    assert.ok((await sharp(candidates.at(-1).data).metadata()).icc)
  })
})

describe('hostile profiles', () => {
  const HUGE = Buffer.alloc(50 * 1024 * 1024)
  const limit = { code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit: 'profileBytes', bound: 8 * 1024 * 1024 }

  test('50 MB in a PNG, packed and hardly packed, end in a typed error', async () => {
    await assert.rejects(pixrace.optimize(withChunks(PHOTO, iCCP(HUGE)), EXACT), {
      code: /^ERR_PIXRACE_(LIMIT_EXCEEDED|CORRUPT_INPUT)$/,
    })
    await assert.rejects(pixrace.inspect(withChunks(PHOTO, iCCP(HUGE.subarray(0, 9 << 20)))), limit)
  })

  test('50 MB in a WebP, and as much as a JPEG can hold', async () => {
    const webp = await sharp(PHOTO).withIccProfile('p3').webp().toBuffer()
    const at = webp.indexOf('ICCP')
    const piece = Buffer.concat([Buffer.from('ICCP'), Buffer.alloc(4), HUGE])
    piece.writeUInt32LE(HUGE.length, 4)
    const size = webp.readUInt32LE(at + 4)
    const bomb = Buffer.concat([webp.subarray(0, at), piece, webp.subarray(at + 8 + size + (size & 1))])
    bomb.writeUInt32LE(bomb.length - 8, 4)
    await assert.rejects(pixrace.optimize(bomb, EXACT), limit)
    const jpeg = fixture('photo.jpg')
    const segments = Array.from({ length: 255 }, (_, i) => {
      const segment = Buffer.alloc(2 + 65_535)
      segment.writeUInt32BE(0xffe2ffff)
      segment.write('ICC_PROFILE\0', 4)
      segment.set([i + 1, 255], 16)
      return segment
    })
    await assert.rejects(
      pixrace.optimize(Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]), EXACT),
      limit,
    )
  })
})

test('the same bytes at every concurrency', async () => {
  const file = withChunks(PHOTO, iCCP(iccProfile(ADOBE_RGB)))
  const [one, many] = await Promise.all([1, 4].map(concurrency => pixrace.optimize(file, { quality: 80, concurrency })))
  assert.ok(one.data.equals(many.data))
})
