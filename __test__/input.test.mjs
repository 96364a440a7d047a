// Shows what counts as an input, that the caller's bytes are copied when the call is made and never written to, and how
// files that are no sound image are refused: by the exact code, and for a limit with the numbers. Copies are shown by
// ruining the caller's buffer right after the call and comparing the answer with that of an undisturbed call.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assemble, GREY, header, imageData } from '../fixtures/lib/png.mjs'
import pixrace from '../index.js'
import { askChild } from './support/child.mjs'
import { fixture } from './support/fixtures.mjs'

const PHOTO = 'photo.png'
const PHOTO_PIXELS = 320 * 240
// No decoder needs to see these twice: what matters is that the work begins after the call has returned.
const OPTIONS = { effort: 'fast', quality: 80, strategy: 'all', formats: ['webp', 'jpeg', 'png'] }

const refusal = properties => error => {
  assert.ok(error instanceof Error)
  for (const [name, value] of Object.entries(properties))
    assert.deepEqual(error[name], value, `${name}: ${error.message}`)
  return true
}

function detached() {
  const bytes = new Uint8Array(fixture('pixel.png'))
  structuredClone(bytes, { transfer: [bytes.buffer] })
  return bytes
}

const files = result => result.candidates.map(candidate => candidate.data)

describe('an input that is no Uint8Array with bytes in it', () => {
  const bytes = new Uint8Array(fixture('pixel.png'))
  const cases = [
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a string', 'pixel.png', "'pixel.png'"],
    ['a number', 7, '7'],
    ['an array', [...bytes.subarray(0, 3)], 'an array of 3'],
    ['a plain object', { length: 3 }, 'an object'],
    ['an ArrayBuffer', bytes.buffer, 'an object'],
    ['a DataView', new DataView(bytes.buffer), 'an object'],
    ['a Uint16Array', new Uint16Array(4), 'a typed array of another kind'],
    ['a Uint8ClampedArray', new Uint8ClampedArray(bytes), 'a typed array of another kind'],
    ['a promise', Promise.resolve(bytes), 'an object'],
    ['an empty one', new Uint8Array(0), 'an empty one'],
    ['an empty file', fixture('bad/empty.bin'), 'an empty one'],
    ['a detached one', detached(), 'a detached one'],
  ]
  for (const [title, input, received] of cases) {
    it(title, async () => {
      const refused = option => refusal({ code: 'ERR_PIXRACE_INVALID_OPTION', option, received })
      await assert.rejects(pixrace.optimize(input), refused('input'))
      await assert.rejects(pixrace.inspect(input), refused('input'))
      await assert.rejects(pixrace.score(input, bytes), refused('reference'))
      await assert.rejects(pixrace.score(bytes, input), refused('candidate'))
      assert.throws(() => pixrace.optimizeSync(input), refused('input'))
    })
  }

  it('no arguments at all', async () => {
    const code = 'ERR_PIXRACE_INVALID_OPTION'
    for (const call of [pixrace.optimize, pixrace.inspect, pixrace.score]) await assert.rejects(call(), { code })
    assert.throws(() => pixrace.optimizeSync(), { code })
  })
})

describe('every kind of Uint8Array', () => {
  it('gives the same answer', async () => {
    const file = fixture(PHOTO)
    const expected = files(await pixrace.optimize(file, OPTIONS))
    const padded = new Uint8Array(file.length + 64).fill(0xff)
    padded.set(file, 32)
    const shared = new Uint8Array(new SharedArrayBuffer(file.length))
    shared.set(file)
    const kinds = {
      Uint8Array: new Uint8Array(file),
      'a view with an offset': padded.subarray(32, 32 + file.length),
      'a Buffer with an offset': Buffer.from(padded.buffer, 32, file.length),
      'a subclass': new (class extends Uint8Array {})(file),
      'shared memory': shared,
    }
    for (const [kind, input] of Object.entries(kinds)) {
      assert.deepEqual(files(await pixrace.optimize(input, OPTIONS)), expected, kind)
      assert.deepEqual(files(pixrace.optimizeSync(input, OPTIONS)), expected, `${kind}, at once`)
      assert.equal((await pixrace.inspect(input)).bytes, file.length, kind)
    }
  })
})

describe('the input is copied', () => {
  const ruins = {
    'zeroing the buffer': bytes => bytes.fill(0),
    'replacing the picture': bytes => bytes.set(new Uint8Array(fixture('text.png')).subarray(0, bytes.length)),
    'transferring the buffer': bytes => structuredClone(bytes, { transfer: [bytes.buffer] }),
  }
  for (const [title, ruin] of Object.entries(ruins)) {
    it(`${title} right after the call changes nothing`, async () => {
      const file = fixture(PHOTO)
      const undisturbed = await pixrace.optimize(file, OPTIONS)
      // Several calls, so that the later ones are still in the queue when the buffers are ruined.
      const inputs = Array.from({ length: 8 }, () => new Uint8Array(file))
      const optimizing = inputs.map(input => pixrace.optimize(input, OPTIONS))
      const scoring = inputs.map(input => pixrace.score(input, input))
      const inspecting = inputs.map(input => pixrace.inspect(input))
      for (const input of inputs) ruin(input)
      for (const promise of optimizing) assert.deepEqual(files(await promise), files(undisturbed))
      assert.deepEqual(
        await Promise.all(scoring),
        inputs.map(() => 100),
      )
      for (const promise of inspecting) assert.deepEqual(await promise, undisturbed.input)
    })
  }

  it('and never written to, nor handed back', async () => {
    for (const name of [PHOTO, 'tall.png', 'photo.jpg', 'bad/truncated.png']) {
      const input = fixture(name)
      const result = await pixrace.optimize(input, { effort: 'fast' }).catch(() => undefined)
      assert.deepEqual(input, fixture(name))
      for (const file of result ? files(result) : []) file?.fill(0)
      assert.deepEqual(input, fixture(name), 'writing into the answer writes into the input')
    }
  })
})

describe('a file that is no supported image', () => {
  const cases = [
    ['SVG', fixture('bad/svg.svg'), 'SVG'],
    ['text', Buffer.from('just a few words'), 'an unknown format'],
    ['one byte', Buffer.from([0]), 'an unknown format'],
    ['ZIP', Buffer.from('504b0304140000000800', 'hex'), 'an unknown format'],
    ['PDF', Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'), 'PDF'],
    ['HTML', Buffer.from('<!DOCTYPE html><html><body></body></html>'), 'HTML'],
    ['HEIC', Buffer.from('0000001c667479706865696300000000', 'hex'), 'HEIC'],
    ['MP4', Buffer.from('0000001c6674797069736f6d00000000', 'hex'), 'an unknown format'],
    ['BMP', Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), 'BMP'],
    ['TIFF', Buffer.from('49492a0008000000', 'hex'), 'TIFF'],
    ['noise behind half a JPEG signature', fixture('bad/garbage.jpg'), 'an unknown format'],
  ]
  for (const [title, input, detected] of cases) {
    it(title, async () => {
      const refused = refusal({ code: 'ERR_PIXRACE_UNSUPPORTED_INPUT', detected })
      await assert.rejects(pixrace.optimize(input), refused)
      await assert.rejects(pixrace.inspect(input), refused)
      assert.throws(() => pixrace.optimizeSync(input), refused)
    })
  }
})

describe('a broken file of a supported format', () => {
  const noWidth = assemble(header(0, 5, 8, GREY), imageData(Buffer.alloc(8)))
  const cases = [
    ['bad/truncated.jpg', fixture('bad/truncated.jpg'), 'jpeg'],
    ['bad/truncated.png', fixture('bad/truncated.png'), 'png'],
    ['bad/truncated.webp', fixture('bad/truncated.webp'), 'webp'],
    ['bad/truncated.gif', fixture('bad/truncated.gif'), 'gif'],
    ['bad/bad-crc.png', fixture('bad/bad-crc.png'), 'png'],
    ['a signature and nothing else', fixture('pixel.png').subarray(0, 8), 'png'],
    ['a width of 0', noWidth, 'png'],
  ]
  for (const [title, input, format] of cases) {
    it(title, async () => {
      const refused = refusal({ code: 'ERR_PIXRACE_CORRUPT_INPUT', format })
      await assert.rejects(pixrace.optimize(input), refused)
      await assert.rejects(pixrace.optimize(input, { concurrency: 1, limits: { timeoutMs: 60_000 } }), refused)
      assert.throws(() => pixrace.optimizeSync(input), refused)
    })
  }
})

describe('limits', () => {
  const exceeded = (limit, actual, bound) => error => {
    for (const number of [actual, bound]) assert.ok(error.message.includes(String(number)), error.message)
    return refusal({ code: 'ERR_PIXRACE_LIMIT_EXCEEDED', limit, actual, bound })(error)
  }

  it('maxPixels, to the pixel', async () => {
    const limits = maxPixels => ({ ...OPTIONS, limits: { maxPixels } })
    const refused = exceeded('maxPixels', PHOTO_PIXELS, PHOTO_PIXELS - 1)
    await assert.rejects(pixrace.optimize(fixture(PHOTO), limits(PHOTO_PIXELS - 1)), refused)
    assert.throws(() => pixrace.optimizeSync(fixture(PHOTO), limits(PHOTO_PIXELS - 1)), refused)
    assert.equal((await pixrace.optimize(fixture(PHOTO), limits(PHOTO_PIXELS))).passed, true)
  })

  it('maxInputBytes, to the byte', async () => {
    const file = fixture(PHOTO)
    const limits = maxInputBytes => ({ ...OPTIONS, limits: { maxInputBytes } })
    const refused = exceeded('maxInputBytes', file.length, file.length - 1)
    await assert.rejects(pixrace.optimize(file, limits(file.length - 1)), refused)
    assert.equal((await pixrace.optimize(file, limits(file.length))).passed, true)
  })

  it('a side beyond what the formats can say', async () => {
    const wide = assemble(header(65_536, 1, 8, GREY), imageData(Buffer.alloc(65_537)))
    const refused = exceeded('width', 65_536, 65_535)
    await assert.rejects(pixrace.optimize(wide, { limits: { maxPixels: 65_535 ** 2 } }), refused)
    await assert.rejects(pixrace.inspect(wide), refused)
  })

  for (const [name, side] of [
    ['bad/huge-header.png', 65_535],
    ['bad/bomb.png', 20_000],
  ]) {
    it(`${name} is refused by its header, with almost no memory`, async () => {
      const file = fixture(name)
      const refused = exceeded('maxPixels', side ** 2, 100_000_000)
      await assert.rejects(pixrace.optimize(file), refused)
      await assert.rejects(pixrace.inspect(file), refused)
      await assert.rejects(pixrace.score(file, file), refused)
      assert.throws(() => pixrace.optimizeSync(file), refused)
      const path = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
      const peak = await askChild('child-memory.mjs', { args: ['hostile', path, 5], flags: ['--expose-gc'] })
      assert.ok(peak.after - peak.before < 16, `from ${peak.before} to ${peak.after} MiB`)
    })
  }
})
