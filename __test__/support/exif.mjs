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
