// Writes WebPs chunk by chunk, so that tests can say exactly what is in them: which flags, which order, what is missing.
import sharp from 'sharp'

const long = value => Buffer.from([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff])
const triple = value => long(value).subarray(0, 3)

/** Flags of "VP8X". */
export const ICC = 0x20
export const ALPHA = 0x10
export const EXIF = 0x08
export const XMP = 0x04
export const MOVES = 0x02

export function webpChunk(kind, content, size = content.length) {
  const body = Buffer.from(content)
  return Buffer.concat([Buffer.from(kind), long(size), body, Buffer.alloc(body.length & 1)])
}

/** A file of these chunks; `size` is what it says of its own length. */
export function webpOf(chunks, size) {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  return Buffer.concat([Buffer.from('RIFF'), long(size ?? body.length), body])
}

export const vp8x = (flags, width, height) =>
  webpChunk('VP8X', Buffer.concat([long(flags), triple(width - 1), triple(height - 1)]))

/** How often it plays, 0 for ever. */
export const anim = plays => webpChunk('ANIM', [255, 255, 255, 255, plays & 0xff, plays >> 8])

/** A frame: `flags` 1 disposes it to the background, 2 does not blend it. */
export function anmf({ left = 0, top = 0, width, height, duration = 100, flags = 0 }, ...chunks) {
  const head = [triple(left / 2), triple(top / 2), triple(width - 1), triple(height - 1), triple(duration), [flags]]
  return webpChunk('ANMF', Buffer.concat([...head.map(part => Buffer.from(part)), ...chunks]))
}

/** The chunks of a file, by kind; the first of each. */
export function webpChunks(file) {
  const found = {}
  for (let at = 12; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at + 4)
    const end = at + 8 + length + (length & 1)
    found[file.toString('latin1', at, at + 4)] ??= file.subarray(at, end)
    at = end
  }
  return found
}

/** The chunks of a WebP of one colour, `[red, green, blue, alpha]`. */
export async function solidWebp(width, height, [r, g, b, alpha = 255], { lossless = true, icc } = {}) {
  const background = { r, g, b, alpha: alpha / 255 }
  const picture = sharp({ create: { width, height, channels: alpha < 255 ? 4 : 3, background } })
  const described = icc ? sharp(await picture.png().toBuffer()).withIccProfile(icc) : picture
  return webpChunks(await described.webp({ lossless, quality: 90 }).toBuffer())
}

/** An EXIF block of nothing but an orientation. */
export const exifOf = orientation =>
  Buffer.from([
    ...Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0', 'latin1'),
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  ])
