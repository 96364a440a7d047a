// Finds and rewrites boxes of an AVIF file, for files that no encoder at hand makes.

/** Where the box `type` begins (at its size). Throws if there is none. */
export function boxAt(file, type) {
  const at = file.indexOf(type, 0, 'latin1')
  if (at < 4) throw new Error(`no box "${type}"`)
  return at - 4
}

/** The same file with box `type` turned into a box `name` with `content`, which pads with zeros what it leaves. */
export function replaceBox(file, type, name, content) {
  const copy = Buffer.from(file)
  const start = boxAt(copy, type)
  const end = start + copy.readUInt32BE(start)
  copy.fill(0, start + 8, end)
  copy.write(name, start + 4, 'latin1')
  Buffer.from(content).copy(copy, start + 8)
  return copy
}

/** The same file with a byte of box `type` changed by `change`; `offset` counts from behind the type. */
export function patchBox(file, type, offset, change) {
  const copy = Buffer.from(file)
  const at = boxAt(copy, type) + 8 + offset
  copy[at] = change(copy[at])
  return copy
}
