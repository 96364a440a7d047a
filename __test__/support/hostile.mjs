// Files that nobody means well with, made by code: cut off, empty, of impossible size, with broken headers, with more in them
// than they say. Each has the status that an image server should answer with; several where viewers differ in how much they put
// up with, or where a limit and a check may both come first.
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { assemble, chunk, header, imageData, PALETTE, RGB } from '../../fixtures/lib/png.mjs'
import { patchBox } from './boxes.mjs'
import { fixture } from './fixtures.mjs'
import { gifFrame, gifOf } from './gif.mjs'

const OK = [200]
const NO_IMAGE = [415]
const DAMAGED = [422]
const TOO_LARGE = [413]
/** Damaged and too large: either is right. */
const REFUSED = [413, 415, 422]
/** Anything but a failure of the server. */
const ANY = [200, ...REFUSED]

const join = (...parts) => Buffer.concat(parts.map(part => Buffer.from(part)))
const cut = (file, share) => file.subarray(0, Math.floor(file.length * share))
const word = value => [value >> 8, value & 255]

/** The file with `bytes` written over it at `at`. */
function patched(file, at, bytes) {
  const copy = Buffer.from(file)
  copy.set(bytes, at)
  return copy
}

const others = {
  'empty.jpg': ['', NO_IMAGE],
  'one-byte.png': [[0x89], NO_IMAGE],
  'html.jpg': ['<!doctype html><title>a</title><img src=x onerror=alert(1)>', NO_IMAGE],
  'svg.png': ['<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', NO_IMAGE],
  'text.webp': ['no image at all\n'.repeat(100), NO_IMAGE],
  'pdf.jpg': ['%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', NO_IMAGE],
  'zeros.gif': [Buffer.alloc(10_000), NO_IMAGE],
  'bmp.png': [join('BM', Buffer.alloc(200)), NO_IMAGE],
  'tiff.jpg': [join('II*\0', [8, 0, 0, 0], Buffer.alloc(100)), NO_IMAGE],
  'heic.avif': [join([0, 0, 0, 24], 'ftypheic', [0, 0, 0, 0], 'mif1heic', Buffer.alloc(100)), NO_IMAGE],
}

function jpegs() {
  const whole = fixture('photo.jpg')
  const frame = whole.indexOf(Buffer.from('ffc0', 'hex')) === -1 ? 0xc2 : 0xc0
  const at = whole.indexOf(Buffer.from([0xff, frame, 0, 17]))
  const tables = whole.indexOf(Buffer.from('ffdb', 'hex'))
  const scan = whole.indexOf(Buffer.from('ffda', 'hex'))
  const scans = Buffer.concat(Array(5000).fill(whole.subarray(scan, scan + 20)))
  return {
    'start.jpg': [[0xff, 0xd8, 0xff], DAMAGED],
    'start-then-html.jpg': [join([0xff, 0xd8, 0xff], '<script>alert(1)</script>'), DAMAGED],
    'head.jpg': [whole.subarray(0, at), DAMAGED],
    'quarter.jpg': [cut(whole, 0.25), DAMAGED],
    'nearly-all.jpg': [cut(whole, 0.95), DAMAGED],
    'width-0.jpg': [patched(whole, at + 7, word(0)), DAMAGED],
    'height-0.jpg': [patched(whole, at + 5, word(0)), DAMAGED],
    '65500-squared.jpg': [patched(whole, at + 5, [...word(65_500), ...word(65_500)]), TOO_LARGE],
    'higher-than-its-data.jpg': [patched(whole, at + 5, word(9000)), DAMAGED],
    '12-bits.jpg': [patched(whole, at + 4, [12]), NO_IMAGE],
    'arithmetic.jpg': [patched(whole, at + 1, [0xc9]), NO_IMAGE],
    'lossless.jpg': [patched(whole, at + 1, [0xc3]), NO_IMAGE],
    'no-tables.jpg': [patched(whole, tables + 1, [0xe7]), DAMAGED],
    'length-0.jpg': [patched(whole, tables + 2, word(0)), DAMAGED],
    'length-65535.jpg': [patched(whole, tables + 2, word(65_535)), DAMAGED],
    'scans.jpg': [join(whole.subarray(0, scan), scans, [0xff, 0xd9]), DAMAGED],
    '255-components.jpg': [patched(whole, at + 9, [255]), DAMAGED],
  }
}

function pngs() {
  const whole = fixture('photo.png')
  const zeros = bytes => imageData(Buffer.alloc(bytes))
  const claim = (width, height) => assemble(header(width, height, 8, RGB), zeros(1000))
  const control = numbers => chunk('acTL', Buffer.from(numbers))
  return {
    'signature.png': [whole.subarray(0, 8), DAMAGED],
    'half.png': [cut(whole, 0.5), DAMAGED],
    'bad-checksum.png': [patched(whole, 29, [1, 2, 3, 4]), DAMAGED],
    'width-0.png': [claim(0, 10), DAMAGED],
    'height-0.png': [claim(10, 0), DAMAGED],
    '60000-squared.png': [claim(60_000, 60_000), TOO_LARGE],
    '2-billion-wide.png': [claim(2 ** 31 - 1, 1), REFUSED],
    'less-than-it-says.png': [claim(500, 500), DAMAGED],
    'bomb.png': [fixture('bad/bomb.png'), TOO_LARGE],
    'unpacks-to-text.png': [
      assemble(header(1, 1, 8, RGB), chunk('zTXt', join('a\0\0', deflateSync(Buffer.alloc(100 << 20)))), zeros(4)),
      ANY,
    ],
    'unpacks-to-profile.png': [
      assemble(header(1, 1, 8, RGB), chunk('iCCP', join('a\0\0', deflateSync(Buffer.alloc(100 << 20)))), zeros(4)),
      ANY,
    ],
    'no-palette.png': [assemble(header(4, 4, 8, PALETTE), zeros(20)), DAMAGED],
    'palette-of-4-bytes.png': [assemble(header(4, 4, 8, PALETTE), chunk('PLTE', Buffer.alloc(4)), zeros(20)), ANY],
    'colour-type-7.png': [assemble(header(4, 4, 8, 7), zeros(100)), DAMAGED],
    '3-bits.png': [assemble(header(4, 4, 3, RGB), zeros(100)), DAMAGED],
    'no-deflate.png': [assemble(header(4, 4, 8, RGB), chunk('IDAT', Buffer.alloc(100, 7))), DAMAGED],
    'no-pixels.png': [assemble(header(4, 4, 8, RGB)), DAMAGED],
    'chunk-of-4-gib.png': [patched(claim(4, 4), 33, [255, 255, 255, 255]), DAMAGED],
    '4-billion-frames.png': [assemble(header(4, 4, 8, RGB), control([255, 255, 255, 255, 0, 0, 0, 0]), zeros(52)), ANY],
  }
}

function gifs() {
  const palette = [
    [0, 0, 0],
    [255, 0, 0],
  ]
  const small = { width: 4, height: 4, palette }
  const frame = gifFrame({ width: 4, height: 4, pixels: Array(16).fill(1) })
  // An image descriptor without any data: left, top, width, height, flags, code size, the end of its blocks.
  const claim = (width, height) =>
    Buffer.from([0x2c, 0, 0, 0, 0, ...word(width).reverse(), ...word(height).reverse(), 0, 7, 0])
  const codes = (size, bytes) => Buffer.from([0x2c, 0, 0, 0, 0, 4, 0, 4, 0, 0, size, bytes.length, ...bytes, 0])
  return {
    'head.gif': [Buffer.from('GIF89a'), DAMAGED],
    'no-frame.gif': [gifOf({ ...small, frames: [] }), DAMAGED],
    'cut.gif': [cut(fixture('animated.gif'), 0.5), DAMAGED],
    'screen-of-65535-squared.gif': [gifOf({ width: 65_535, height: 65_535, palette, frames: [frame] }), TOO_LARGE],
    'frame-of-40000-squared.gif': [gifOf({ ...small, frames: [claim(40_000, 40_000)] }), REFUSED],
    'second-frame-of-40000-squared.gif': [
      gifOf({ ...small, repeat: 0, frames: [frame, claim(40_000, 40_000)] }),
      REFUSED,
    ],
    'code-size-12.gif': [gifOf({ ...small, frames: [codes(12, [1, 2, 3, 4])] }), ANY],
    'random-codes.gif': [gifOf({ ...small, frames: [codes(7, [255, 255, 255, 255, 255])] }), ANY],
    'blocks-without-end.gif': [
      join(gifOf({ ...small, frames: [frame], trailer: false }), [0x21, 0xfe], Buffer.alloc(9999, 255)),
      ANY,
    ],
    'half-a-million-extensions.gif': [
      join(
        gifOf({ ...small, frames: [], trailer: false }),
        Buffer.alloc(2_000_000, Buffer.from([0x21, 0xfe, 0])),
        [0x3b],
      ),
      DAMAGED,
    ],
  }
}

function webps() {
  const whole = fixture('photo.webp')
  const riff = (...chunks) => {
    const body = join('WEBP', ...chunks)
    const size = Buffer.alloc(4)
    size.writeUInt32LE(body.length)
    return join('RIFF', size, body)
  }
  const part = (name, bytes, length = bytes.length) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(length)
    return join(name, size, bytes)
  }
  const canvas = (flags, side) =>
    part('VP8X', [
      flags,
      0,
      0,
      0,
      ...Array(2)
        .fill([side & 255, (side >> 8) & 255, side >> 16])
        .flat(),
    ])
  const frame = side =>
    part('ANMF', [
      0,
      0,
      0,
      0,
      0,
      0,
      ...Array(2)
        .fill([side & 255, side >> 8, 0])
        .flat(),
      1,
      0,
      0,
      0,
    ])
  const still = whole.subarray(12)
  return {
    'head.webp': [riff(), DAMAGED],
    'half.webp': [cut(whole, 0.5), DAMAGED],
    'canvas-alone.webp': [riff(canvas(0, 9)), DAMAGED],
    'canvas-of-16777216-squared.webp': [riff(canvas(0, 0xffffff), still), REFUSED],
    'canvas-smaller-than-its-frame.webp': [riff(canvas(0, 1), still), ANY],
    'frame-of-40000-squared.webp': [riff(canvas(2, 9), part('ANIM', Array(6).fill(0)), frame(40_000)), REFUSED],
    'chunk-of-4-gib.webp': [riff(part('VP8 ', [1, 2, 3], 0xffffffff)), DAMAGED],
    // Its first bits claim 12,080 × 15,549 pixels.
    'lossless-garbage.webp': [riff(part('VP8L', Buffer.alloc(64, 0x2f))), TOO_LARGE],
    'lossy-garbage.webp': [riff(part('VP8 ', Buffer.alloc(64, 0x9d))), DAMAGED],
  }
}

/** The file with a new stream for its only item, in a box of its own at the end. */
function withStream(avif, change) {
  // As libheif writes it: version 0; behind sizes, count, number and reference the item's place, a count, and an extent in it.
  const base = avif.indexOf('iloc', 0, 'latin1') + 16
  const [place, offset, length] = [base, base + 6, base + 10].map(at => avif.readUInt32BE(at))
  const stream = change(avif.subarray(place + offset, place + offset + length))
  const size = Buffer.alloc(4)
  size.writeUInt32BE(stream.length + 8)
  const longer = join(avif, size, 'mdat', stream)
  longer.writeUInt32BE(avif.length + 8 - place, base + 6)
  longer.writeUInt32BE(stream.length, base + 10)
  return longer
}

async function avifs() {
  const whole = await sharp(fixture('orientation-1.jpg')).avif({ effort: 0 }).toBuffer()
  const extent = side => [...word(side >> 16), ...word(side & 0xffff)]
  const size = patched(whole, whole.indexOf('ispe', 0, 'latin1') + 8, [...extent(60_000), ...extent(60_000)])
  // Metadata OBU (AV1 specification, 5.8): type 5 with its size, then kind 1, the content's light level, and a trailing bit.
  const lightLevel = [(5 << 3) | 2, 6, 1, 0x03, 0xe8, 0x00, 0xfa, 0x80]
  const padding = [(15 << 3) | 2, 3, 1, 2, 0x80]
  const named = whole.indexOf('av01', whole.indexOf('infe', 0, 'latin1'), 'latin1')
  return {
    'brands.avif': [whole.subarray(0, 32), DAMAGED],
    'tables.avif': [whole.subarray(0, whole.indexOf('mdat', 0, 'latin1') + 4), DAMAGED],
    'nearly-all.avif': [whole.subarray(0, -9), DAMAGED],
    'light-level.avif': [withStream(whole, stream => join(lightLevel, stream)), OK],
    'light-level-behind.avif': [withStream(whole, stream => join(stream, lightLevel)), OK],
    'padding.avif': [withStream(whole, stream => join(padding, stream)), OK],
    'no-stream.avif': [withStream(whole, () => Buffer.from([0x12, 0])), DAMAGED],
    'random-stream.avif': [withStream(whole, stream => stream.map((byte, at) => (at < 24 ? byte : byte ^ 0x5a))), ANY],
    'twice.avif': [withStream(whole, stream => join(stream, stream)), ANY],
    '60000-squared.avif': [size, TOO_LARGE],
    'size-0.avif': [patchBox(whole, 'ispe', 7, () => 0), DAMAGED],
    'box-of-0-bytes.avif': [patchBox(whole, 'iprp', -5, () => 0), ANY],
    'box-of-1-byte.avif': [patchBox(whole, 'iprp', -5, () => 1), REFUSED],
    '65281-items.avif': [patchBox(whole, 'iinf', 4, () => 255), ANY],
    'derived-from-itself.avif': [patched(whole, named, Buffer.from('iden')), REFUSED],
    'grid-of-nothing.avif': [patched(whole, named, Buffer.from('grid')), REFUSED],
  }
}

/** All of them: `[{ name, data, expected }]`, `expected` being the statuses that are right. */
export async function hostileFiles() {
  const groups = [others, jpegs(), pngs(), gifs(), webps(), await avifs()]
  const entries = groups.flatMap(group => Object.entries(group))
  return entries.map(([name, [content, expected]]) => ({ name, data: Buffer.from(content), expected }))
}

/** What any file may be answered with that nobody knows anything of. */
export const ANSWERS = ANY
