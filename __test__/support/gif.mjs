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

/** One frame. `pixels`: indices into the palette, 0 to 127; `dispose`: 0 to 3; `delay` in hundredths of a second. */
export function gifFrame({ left = 0, top = 0, width, height, pixels, delay = 10, dispose = 0, transparent }) {
  const flags = (dispose << 2) | (transparent === undefined ? 0 : 1)
  return Buffer.from([
    ...[0x21, 0xf9, 4, flags, ...word(delay), transparent ?? 0, 0],
    ...[0x2c, ...word(left), ...word(top), ...word(width), ...word(height), 0],
    ...[7, ...subBlocks(lzw(pixels))],
  ])
}

/** `palette`: up to 128 colours. `repeat`: how often to play again, 0 for ever; left out, it plays once. */
export function gifOf({ width, height, palette, repeat, frames, trailer = true }) {
  const colors = Buffer.alloc(128 * 3)
  colors.set(palette.flat())
  const netscape = repeat === undefined ? [] : [0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0'), 3, 1, ...word(repeat), 0]
  const head = [...Buffer.from('GIF89a'), ...word(width), ...word(height), 0xf6, 0, 0]
  const parts = frames.map(frame => (Buffer.isBuffer(frame) ? frame : gifFrame(frame)))
  return Buffer.concat([Buffer.from(head), colors, Buffer.from(netscape), ...parts, Buffer.from(trailer ? [0x3b] : [])])
}
