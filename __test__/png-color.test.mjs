// What a PNG says of its colours beside an ICC profile, held against the formulas that Chromium was found to use.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import { chunk } from '../fixtures/lib/png.mjs'
import pixrace from '../index.js'
import { cHRM, cICP, gAMA, hues, iCCP, withChunks } from './support/chunks.mjs'
import { ADOBE_RGB, DISPLAY_P3, iccProfile, SRGB, toSrgb } from './support/color.mjs'
import { fixture } from './support/fixtures.mjs'

const EXACT = { lossless: true, colorProfile: 'srgb', keepOriginal: false, formats: ['png'], effort: 'fast' }
const rgb = file => sharp(file).toColourspace('srgb').removeAlpha().raw().toBuffer()

describe('what a PNG says in other chunks, as Chromium shows it', () => {
  /** The file in sRGB, and by which formula: levels of every hue. */
  async function assertShown(file, space) {
    const [before, after] = [await rgb(await hues()), await rgb((await pixrace.optimize(file, EXACT)).data)]
    let worst = 0
    for (let i = 0; i < before.length; i += 3) {
      const color = [before[i], before[i + 1], before[i + 2]]
      const expected = space ? toSrgb(space, color) : color
      for (let j = 0; j < 3; j++) worst = Math.max(worst, Math.abs(expected[j] - after[i + j]))
    }
    assert.ok(worst <= 1.5, `${worst} levels`)
  }
  const CASES = {
    'gAMA alone': [[gAMA(55_556)], { ...SRGB, gamma: 1.8 }],
    'gAMA of 1.0': [[gAMA(100_000)], { ...SRGB, gamma: 1 }],
    'gAMA near sRGB': [[gAMA(45_455)], null],
    'gAMA and cHRM': [[gAMA(45_455), cHRM(ADOBE_RGB)], { ...ADOBE_RGB, gamma: 100_000 / 45_455 }],
    'cHRM alone': [[cHRM(ADOBE_RGB)], null],
    'gAMA of 0': [[gAMA(0)], null],
    'sRGB before gAMA and cHRM': [[chunk('sRGB', Buffer.of(0)), gAMA(100_000), cHRM(ADOBE_RGB)], null],
    'iCCP before gAMA': [[iCCP(iccProfile(ADOBE_RGB)), gAMA(100_000)], ADOBE_RGB],
    'cICP: Display P3': [[cICP(12, 13)], DISPLAY_P3],
    'cICP: the curve of television': [[cICP(1, 1)], { ...SRGB, gamma: 2.4 }],
    'cICP: sRGB': [[cICP(1, 13)], null],
    'cICP before iCCP': [[cICP(12, 13), iCCP(iccProfile(ADOBE_RGB))], DISPLAY_P3],
  }
  for (const [name, [chunks, space]] of Object.entries(CASES)) {
    test(name, async () => assertShown(withChunks(await hues(), ...chunks), space))
  }

  test('high dynamic range passes through', async () => {
    for (const transfer of [16, 18]) {
      const file = withChunks(fixture('photo.png'), cICP(9, transfer))
      const { isOriginal, warnings } = await pixrace.optimize(file)
      assert.ok(isOriginal)
      for (const { message } of warnings) assert.match(message, /high dynamic range/)
      await assert.rejects(pixrace.optimize(file, { keepOriginal: false }), {
        code: 'ERR_PIXRACE_NO_CANDIDATE',
        message: /high dynamic range/,
      })
    }
  })
})
