// Rewrites boxes of AVIF files, for files that no encoder at hand makes.

function boxAt(file, type) {
  const at = file.indexOf(type, 0, 'latin1')
  if (at < 4) throw new Error(`no box "${type}"`)
  return at - 4
}

/** The same file with a byte of box `type` changed by `change`; `offset` counts from behind the type. */
export function patchBox(file, type, offset, change) {
  const copy = Buffer.from(file)
  const at = boxAt(copy, type) + 8 + offset
  copy[at] = change(copy[at])
  return copy
}

function insert(file, at, bytes, enclosing) {
  const longer = Buffer.concat([file.subarray(0, at), bytes, file.subarray(at)])
  for (const type of enclosing) {
    const start = boxAt(longer, type)
    longer.writeUInt32BE(longer.readUInt32BE(start) + bytes.length, start)
  }
  return longer
}

/** Where the file says where each item begins. Knows the tables of 32-bit numbers that libheif and avif-serialize write. */
function itemOffsets(file) {
  const table = boxAt(file, 'iloc') + 12
  const [version, sizes] = [file[table - 4], file.readUInt16BE(table)]
  const baseSize = (sizes >> 4) & 15
  const offsets = []
  let at = table + 4
  for (let items = file.readUInt16BE(table + 2); items > 0; items--) {
    at += 4 + (version > 0 ? 2 : 0) + baseSize
    const extents = file.readUInt16BE(at)
    at += 2
    for (let extent = 0; extent < extents; extent++, at += 8) offsets.push(at)
  }
  return offsets
}

/** Adds `shift` to the place of every item. */
function moveItems(file, shift) {
  for (const at of itemOffsets(file)) file.writeUInt32BE(file.readUInt32BE(at) + shift, at)
}

/** The same file, in which what lies in front of the largest item, the picture, reaches 16 bytes into it. */
export function withSharedData(file) {
  const copy = Buffer.from(file)
  const extents = itemOffsets(copy).map(at => ({ at, start: copy.readUInt32BE(at), length: copy.readUInt32BE(at + 4) }))
  const picture = extents.reduce((a, b) => (b.length > a.length ? b : a))
  const before = extents.find(({ start, length }) => start + length === picture.start)
  copy.writeUInt32BE(before.length + 16, before.at + 4)
  return copy
}

/** The same file with the property `name`, marked as essential, given to its first item. */
export function addProperty(file, name, content) {
  const box = Buffer.concat([Buffer.alloc(4), Buffer.from(name, 'latin1'), Buffer.from(content)])
  box.writeUInt32BE(box.length)
  const container = boxAt(file, 'ipco')
  const end = container + file.readUInt32BE(container)
  let index = 1
  for (let at = container + 8; at < end; at += file.readUInt32BE(at)) index++
  // Behind version, flags, number of items and the item's number comes how many properties it has, of a byte each.
  const count = boxAt(file, 'ipma') + 18
  const associated = insert(file, count + 1 + file[count], Buffer.from([0x80 | index]), ['meta', 'iprp', 'ipma'])
  associated[count]++
  const longer = insert(associated, end, box, ['meta', 'iprp', 'ipco'])
  moveItems(longer, box.length + 1)
  return longer
}

/** The same file, which now says that the colours of its item 1 were multiplied by its alpha, item 2. */
export function premultiplied(file) {
  const reference = Buffer.from('0000000e7072656d000100010002', 'hex')
  const references = boxAt(file, 'iref')
  const longer = insert(file, references + file.readUInt32BE(references), reference, ['meta', 'iref'])
  moveItems(longer, reference.length)
  return longer
}
