// Shows what happens to a format that cannot do what is asked: it is skipped with a warning that names it and the reason,
// the others go on as if it had not been asked for, and only if nothing is left the call fails. Backgrounds for
// transparent pictures are looked at in the pixels, as sharp decodes them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'

// Every format that can be finished is: one encode of each.
const ONCE = { effort: 'fast', strategy: 'all', quality: 80 }
const ALL = ['avif', 'webp', 'jpeg', 'png']

/** Asserts that exactly these formats were skipped, each with one warning that gives the reason. */
function assertSkipped(result, reasons) {
  const skipped = result.candidates.filter(candidate => candidate.outcome === 'skipped')
  assert.deepEqual(skipped.map(({ format }) => format).sort(), Object.keys(reasons).sort())
  for (const candidate of skipped) {
    assert.deepEqual([candidate.bytes, candidate.quality, candidate.encodes], [null, null, 0])
    assert.equal(candidate.data, undefined)
    const warnings = result.warnings.filter(warning => warning.format === candidate.format)
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['format-skipped'],
    )
    assert.match(warnings[0].message, reasons[candidate.format])
  }
}

async function assertOthersUntouched(result, input, options) {
  const finished = result.candidates.filter(candidate => candidate.data)
  const formats = finished.map(({ format }) => format).filter((format, index, all) => all.indexOf(format) === index)
  const alone = await pixrace.optimize(input, { ...options, formats: formats.filter(format => ALL.includes(format)) })
  const files = candidates => candidates.map(({ format, data, outcome }) => ({ format, data, outcome }))
  assert.deepEqual(files(finished), files(alone.candidates))
}

describe('a format that is skipped', () => {
  const cases = [
    ['WebP, for a side it cannot hold', 'too-wide-for-webp.png', {}, { webp: /WebP.*17000.*16383/ }],
    ['JPEG, for transparency', 'alpha-gradient.png', {}, { jpeg: /JPEG.*transparency.*`flatten`/ }],
    ['JPEG, for a transparent palette', 'palette-alpha.png', {}, { jpeg: /JPEG.*transparency/ }],
    ['JPEG, for 16-bit transparency', 'rgba16.png', {}, { jpeg: /JPEG.*transparency/ }],
    [
      'AVIF and JPEG, for lossless',
      'palette.png',
      { lossless: true, quality: undefined },
      { avif: /AVIF.*every pixel/, jpeg: /JPEG.*every pixel/ },
    ],
    [
      'all but PNG, for lossless 16 bits',
      'rgb16.png',
      { lossless: true, quality: undefined },
      { avif: /AVIF/, jpeg: /JPEG/, webp: /WebP.*8 bits.*16/ },
    ],
  ]
  for (const [title, name, options, reasons] of cases) {
    it(`${title}, leaves the others alone`, async () => {
      const input = fixture(name)
      const result = await pixrace.optimize(input, { ...ONCE, ...options })
      assertSkipped(result, reasons)
      assert.deepEqual(
        result.candidates.map(({ format }) => format),
        [...ALL, result.input.format],
      )
      assert.equal(result.passed, true)
      await assertOthersUntouched(result, input, { ...ONCE, ...options })
    })
  }

  it('is not skipped where the alpha channel is there and not in use', async () => {
    assertSkipped(await pixrace.optimize(fixture('opaque-rgba.png'), ONCE), {})
  })
})

describe('when no format is left', () => {
  const cases = [
    ['too-wide-for-webp.png', { formats: ['webp'] }, [/WebP cannot hold/]],
    ['alpha-gradient.png', { formats: ['jpeg'] }, [/JPEG has no transparency/]],
    ['palette.png', { formats: ['jpeg', 'avif'], lossless: true }, [/JPEG cannot/, /AVIF cannot/]],
  ]
  for (const [name, options, reasons] of cases) {
    it(`${options.formats} of ${name}: the original is the answer`, async () => {
      const result = await pixrace.optimize(fixture(name), options)
      assert.deepEqual([result.isOriginal, result.passed, result.data], [true, true, fixture(name)])
    })

    it(`${options.formats} of ${name}: without the original there is none`, async () => {
      const refused = error => {
        assert.ok(error instanceof Error)
        assert.equal(error.code, 'ERR_PIXRACE_NO_CANDIDATE')
        for (const reason of reasons) assert.match(error.message, reason)
        return true
      }
      const withoutOriginal = { ...options, keepOriginal: false }
      await assert.rejects(pixrace.optimize(fixture(name), withoutOriginal), refused)
      assert.throws(() => pixrace.optimizeSync(fixture(name), withoutOriginal), refused)
    })
  }
})

describe('flatten', () => {
  const INPUT = fixture('alpha-gradient.png')
  const raw = file => sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })

  function assertNear(actual, expected, tolerance, where) {
    const far = expected.some((value, index) => Math.abs(value - actual[index]) > tolerance)
    assert.ok(!far, `${where}: ${actual} instead of ${expected}`)
  }

  for (const [flatten, background] of [
    ['#ff8000', [255, 128, 0]],
    ['#0000FF', [0, 0, 255]],
    ['#ffffff', [255, 255, 255]],
  ]) {
    it(`${flatten} is what shines through in a JPEG`, async () => {
      const options = { formats: ['jpeg'], quality: 100, keepOriginal: false, flatten }
      const result = await pixrace.optimize(INPUT, options)
      assertSkipped(result, {})
      const { data, info } = await raw(result.data)
      assert.deepEqual([info.width, info.height, info.channels], [256, 160, 3])
      const expected = await raw(await sharp(INPUT).flatten({ background: flatten }).png().toBuffer())
      const pixel = (samples, x, y) => [...samples.subarray((y * 256 + x) * 3, (y * 256 + x) * 3 + 3)]
      // The top row is fully transparent, the bottom row opaque.
      for (const x of [0, 100, 255]) assertNear(pixel(data, x, 0), background, 8, `top, ${x}`)
      for (const y of [40, 80, 120, 159]) assertNear(pixel(data, 77, y), pixel(expected.data, 77, y), 12, `row ${y}`)
    })
  }

  it('changes nothing for formats with alpha, nor for an opaque picture', async () => {
    const files = async (name, options) => {
      const result = await pixrace.optimize(fixture(name), { ...ONCE, ...options })
      return result.candidates.map(candidate => candidate.data)
    }
    const [avif, webp, jpeg, png] = await files('alpha-gradient.png', { flatten: '#123456' })
    const plain = await files('alpha-gradient.png', {})
    assert.deepEqual([avif, webp, undefined, png], plain.slice(0, 4))
    assert.ok(jpeg.length > 0)
    assert.deepEqual(await files('photo.png', { flatten: '#123456' }), await files('photo.png', {}))
  })
})
