// Writes GIFs by hand, so that tests can say exactly what is in them: where frames lie, how they are disposed, what is
// missing. Pixels are not compressed: codes of 8 bits that never grow, because the table is cleared before it does.
const CLEAR = 128
const END = 129
/** Codes that fit before the table needs a ninth bit: 256 less the 130 that are there from the start. */
const RUN = 125

const word = value => [value & 0xff, value >> 8]

function* subBlocks(bytes) {
  for (let at = 0; at < bytes.length; at += 255) {
    const part = bytes.slice(at, at + 255)
    yield part.length
    yield* part
  }
  yield 0
}

function lzw(pixels) {
  const codes = []
  for (let at = 0; at < pixels.length; at += RUN) codes.push(CLEAR, ...pixels.slice(at, at + RUN))
  return [...codes, END]
}

/** The flags of a table of these colours and its bytes, filled up with black to a power of two; nothing of none. */
function table(colors) {
  if (colors === undefined) return { flags: 0, bytes: [] }
  const power = Math.max(1, Math.ceil(Math.log2(colors.length)))
  const bytes = Array(3 * 2 ** power).fill(0)
  for (const [i, value] of colors.flat().entries()) bytes[i] = value
  return { flags: 0x80 | (power - 1), bytes }
}

/**
 * One frame. `pixels`: indices into the palette, 0 to 127, in the order in which they are stored; `dispose`: 0 to 7;
 * `delay` in hundredths of a second; `palette`: its own colours; `control: false` leaves the block in front of it out.
 */
export function gifFrame(frame) {
  const { left = 0, top = 0, width, height, pixels, delay = 10, dispose = 0, transparent } = frame
  const { palette, interlaced = false, control = true } = frame
  const flags = (dispose << 2) | (transparent === undefined ? 0 : 1)
  const own = table(palette)
  return Buffer.from([
    ...(control ? [0x21, 0xf9, 4, flags, ...word(delay), transparent ?? 0, 0] : []),
    ...[0x2c, ...word(left), ...word(top), ...word(width), ...word(height)],
    ...[own.flags | (interlaced ? 0x40 : 0), ...own.bytes],
    ...[7, ...subBlocks(lzw(pixels))],
  ])
}

/** An extension: its label and its sub-blocks. */
export const gifExtension = (label, ...blocks) =>
  Buffer.from([0x21, label, ...blocks.flatMap(block => [block.length, ...Buffer.from(block)]), 0])

export const gifRepeat = (times, name = 'NETSCAPE2.0') => gifExtension(0xff, name, [1, ...word(times)])

/** `palette`: up to 128 colours, or none. `repeat`: how often to play again, 0 for ever; left out, it plays once. */
export function gifOf({ width, height, palette, repeat, frames, trailer = true }) {
  const shared = palette === undefined ? table() : table([...palette, ...Array(128 - palette.length).fill([0, 0, 0])])
  const head = [...Buffer.from('GIF89a'), ...word(width), ...word(height), shared.flags | 0x70, 0, 0, ...shared.bytes]
  const repeats = repeat === undefined ? [] : [gifRepeat(repeat)]
  const parts = frames.map(frame => (Buffer.isBuffer(frame) ? frame : gifFrame(frame)))
  return Buffer.concat([Buffer.from(head), ...repeats, ...parts, Buffer.from(trailer ? [0x3b] : [])])
}
