// Reads metadata without a library: EXIF is a TIFF structure of directories of tags, with a GPS directory of its own.

export const ORIENTATION = 0x0112
const GPS_POINTER = 0x8825
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8 }

/** The tags of the first and the GPS directory: `{ tags, gps }`, each tag's number → its value's bytes as hex. */
export function readExif(block) {
  const tiff = block.subarray(0, 6).toString('latin1') === 'Exif\0\0' ? block.subarray(6) : block
  const little = tiff.toString('latin1', 0, 2) === 'II'
  const u16 = at => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const u32 = at => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at))
  const directory = start => {
    const entries = Array.from({ length: u16(start) }, (_, i) => {
      const at = start + 2 + i * 12
      const bytes = SIZES[u16(at + 2)] * u32(at + 4)
      const from = bytes > 4 ? u32(at + 8) : at + 8
      return [u16(at), tiff.subarray(from, from + bytes).toString('hex')]
    })
    return Object.fromEntries(entries)
  }
  const { [GPS_POINTER]: pointer, ...tags } = directory(u32(4))
  const gpsAt = pointer && Buffer.from(pointer, 'hex')[little ? 'readUInt32LE' : 'readUInt32BE']()
  return { tags, gps: gpsAt ? directory(gpsAt) : undefined }
}

const TYPES = { short: 3, long: 4, rational: 5 }

/**
 * A TIFF structure with an orientation, resolutions in pixels per unit (numerator and denominator), their unit (2: inch) and
 * the picture's size, each if it is given. `types` has another type for a tag: `{ unit: 'long' }`.
 */
export function exifBlock({ orientation, x, y, unit, width, height, little = false, types = {} }) {
  const u16 = value => Buffer.from(little ? [value, value >> 8] : [value >> 8, value])
  const u32 = value => {
    const bytes = Buffer.alloc(4)
    little ? bytes.writeUInt32LE(value) : bytes.writeUInt32BE(value)
    return bytes
  }
  const kinds = {
    orientation: 'short',
    x: 'rational',
    y: 'rational',
    unit: 'short',
    width: 'long',
    height: 'long',
    ...types,
  }
  const given = { orientation, x, y, unit, width, height }
  const entriesOf = tags => Object.entries(tags).filter(([, name]) => given[name] !== undefined)
  const below = entriesOf({ 40962: 'width', 40963: 'height' })
  const directory = (entries, start, pointer) => {
    const count = entries.length + (pointer === undefined ? 0 : 1)
    let end = start + 2 + count * 12 + 4
    const far = []
    const rows = entries.map(([tag, name]) => {
      const head = Buffer.concat([u16(Number(tag)), u16(TYPES[kinds[name]]), u32(1)])
      if (kinds[name] === 'short') return Buffer.concat([head, u16(given[name]), u16(0)])
      if (kinds[name] === 'long') return Buffer.concat([head, u32(given[name])])
      far.push(...given[name].map(u32))
      end += 8
      return Buffer.concat([head, u32(end - 8)])
    })
    if (pointer !== undefined) rows.push(Buffer.concat([u16(0x8769), u16(TYPES.long), u32(1), u32(pointer)]))
    return Buffer.concat([u16(count), ...rows, u32(0), ...far])
  }
  const first = entriesOf({ 274: 'orientation', 282: 'x', 283: 'y', 296: 'unit' })
  const pointer = below.length > 0 ? 8 + directory(first, 8, 0).length : undefined
  const header = Buffer.concat([Buffer.from(little ? 'II*\0' : 'MM\0*', 'latin1'), u32(8)])
  const rest = below.length > 0 ? directory(below, pointer) : Buffer.alloc(0)
  return Buffer.concat([header, directory(first, 8, pointer), rest])
}
