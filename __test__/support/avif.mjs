// Takes AVIF files apart, down to the units of their AV1 streams (OBUs), and puts them together again: for files that no
// encoder at hand makes.

const text = name => Buffer.from(name, 'latin1')
const number = (bytes, value) => {
  const out = Buffer.alloc(bytes)
  out.writeUIntBE(value, 0, bytes)
  return out
}

export function box(name, ...parts) {
  const body = Buffer.concat(parts)
  return Buffer.concat([number(4, body.length + 8), text(name), body])
}

export const fullBox = (name, version, ...parts) => box(name, number(1, version), Buffer.alloc(3), ...parts)

/** The boxes of a row. */
export function boxesOf(data) {
  const boxes = []
  for (let at = 0; at + 8 <= data.length; ) {
    const size = data.readUInt32BE(at) || data.length - at
    boxes.push({ name: data.toString('latin1', at + 4, at + 8), body: data.subarray(at + 8, at + size) })
    at += Math.max(size, 8)
  }
  return boxes
}

const find = (data, name) => boxesOf(data).find(part => part.name === name)?.body

/** Where each item's data lie: `[id, [start, length][]]`. Tables of version 0 and 1 with numbers of 32 bits. */
function placesOf(file, iloc) {
  const version = iloc[0]
  const baseSize = iloc[5] >> 4
  const places = new Map()
  let at = 8
  for (let count = iloc.readUInt16BE(6); count > 0; count--) {
    const id = iloc.readUInt16BE(at)
    at += 4 + (version > 0 ? 2 : 0)
    const base = baseSize ? iloc.readUIntBE(at, baseSize) : 0
    at += baseSize + 2
    const parts = []
    for (let left = iloc.readUInt16BE(at - 2); left > 0; left--, at += 8) {
      const start = base + iloc.readUInt32BE(at)
      parts.push(file.subarray(start, start + iloc.readUInt32BE(at + 4)))
    }
    places.set(id, Buffer.concat(parts))
  }
  return places
}

/**
 * The items of a file that pixrace or libheif wrote: `{ id, kind, data, properties, references }`, where a property is
 * `{ name, body, essential }` and a reference `{ kind, to }`.
 */
export function itemsOf(file) {
  const meta = find(file, 'meta').subarray(4)
  const places = placesOf(file, find(meta, 'iloc'))
  const items = boxesOf(find(meta, 'iinf').subarray(6)).map(({ body }) => {
    const id = body.readUInt16BE(4)
    return { id, kind: body.toString('latin1', 8, 12), data: places.get(id), properties: [], references: [] }
  })
  const byId = new Map(items.map(item => [item.id, item]))
  for (const { name, body } of boxesOf((find(meta, 'iref') ?? Buffer.alloc(4)).subarray(4))) {
    for (let index = 0; index < body.readUInt16BE(2); index++)
      byId.get(body.readUInt16BE(0)).references.push({ kind: name, to: body.readUInt16BE(4 + 2 * index) })
  }
  const properties = boxesOf(find(find(meta, 'iprp'), 'ipco'))
  const associations = find(find(meta, 'iprp'), 'ipma')
  let at = 8
  for (let count = associations.readUInt32BE(4); count > 0; count--) {
    const item = byId.get(associations.readUInt16BE(at))
    const end = at + 3 + associations[at + 2]
    for (at += 3; at < end; at++) {
      const { name, body } = properties[(associations[at] & 0x7f) - 1]
      item.properties.push({ name, body, essential: associations[at] > 0x7f })
    }
  }
  return items
}

/** A file of such items, the first of which is the picture; the data lie in "idat" or, with `inFile`, in "mdat". */
export function buildAvif(items, { inFile = true } = {}) {
  const properties = items.flatMap(item => item.properties)
  // In the order of their numbers, which libavif insists on.
  const associations = [...items]
    .sort((a, b) => a.id - b.id)
    .map(item => {
      const indices = item.properties.map(
        property => (properties.indexOf(property) + 1) | (property.essential ? 0x80 : 0),
      )
      return Buffer.concat([number(2, item.id), number(1, indices.length), Buffer.from(indices)])
    })
  const references = items.flatMap(({ id, references }) =>
    [...new Set(references.map(({ kind }) => kind))].map(kind => {
      const targets = references.filter(reference => reference.kind === kind).map(({ to }) => number(2, to))
      return box(kind, number(2, id), number(2, targets.length), ...targets)
    }),
  )
  const entries = items.map(({ id, kind }) =>
    fullBox('infe', 2, number(2, id), Buffer.alloc(2), text(kind), Buffer.alloc(1)),
  )
  const data = items.map(item => item.data)
  const meta = start => {
    let offset = start
    const places = items.map(({ id, data }) => {
      const place = [number(2, id), number(2, inFile ? 0 : 1), Buffer.alloc(2), number(2, 1), number(4, offset)]
      offset += data.length
      return Buffer.concat([...place, number(4, data.length)])
    })
    return fullBox(
      'meta',
      0,
      fullBox('hdlr', 0, Buffer.alloc(4), text('pict'), Buffer.alloc(13)),
      fullBox('pitm', 0, number(2, items[0].id)),
      fullBox('iloc', 1, Buffer.from([0x44, 0]), number(2, items.length), ...places),
      fullBox('iinf', 0, number(2, items.length), ...entries),
      ...(references.length > 0 ? [fullBox('iref', 0, ...references)] : []),
      box(
        'iprp',
        box('ipco', ...properties.map(({ name, body }) => box(name, body))),
        fullBox('ipma', 0, number(4, items.length), ...associations),
      ),
      ...(inFile ? [] : [box('idat', ...data)]),
    )
  }
  const head = box('ftyp', text('avif'), Buffer.alloc(4), text('mif1miaf'))
  if (!inFile) return Buffer.concat([head, meta(0)])
  return Buffer.concat([head, meta(head.length + meta(0).length + 8), box('mdat', ...data)])
}

/** Property boxes. */
export const property = (name, body, essential = false) => ({ name, body: Buffer.from(body), essential })
export const size = (width, height) =>
  property('ispe', Buffer.concat([Buffer.alloc(4), number(4, width), number(4, height)]))
/** Code points of H.273. */
export const nclx = (primaries, transfer, matrix, fullRange) =>
  property('colr', [...text('nclx'), 0, primaries, 0, transfer, 0, matrix, fullRange ? 0x80 : 0])

/**
 * A grid of the pictures of these files, which are of one size, row by row; with their alpha as a grid of its own
 * (`alpha: 'grid'`), or each tile's as the tile's own (`alpha: 'tiles'`).
 */
export function gridOf(files, { columns, width, height, alpha = 'grid', ...options }) {
  const rows = files.length / columns
  const data = Buffer.concat([Buffer.from([0, 0, rows - 1, columns - 1]), number(2, width), number(2, height)])
  const pictures = files.map(itemsOf)
  const tile = (item, id, references = []) => ({ ...item, id, references })
  const colors = pictures.map(([color], index) => tile(color, 10 + index))
  const items = [
    {
      id: 1,
      kind: 'grid',
      data,
      properties: [size(width, height), ...colors[0].properties.filter(({ name }) => name === 'colr')],
      references: colors.map(({ id }) => ({ kind: 'dimg', to: id })),
    },
    ...colors,
  ]
  const masks = pictures.flatMap(items => items.filter(({ references }) => references[0]?.kind === 'auxl'))
  if (masks.length === 0) return buildAvif(items, options)
  const own = alpha === 'tiles'
  const tiles = masks.map((mask, index) => tile(mask, 100 + index, own ? [{ kind: 'auxl', to: colors[index].id }] : []))
  if (own) return buildAvif([...items, ...tiles], options)
  const name = masks[0].properties.find(({ name }) => name === 'auxC')
  const references = [{ kind: 'auxl', to: 1 }, ...tiles.map(({ id }) => ({ kind: 'dimg', to: id }))]
  const mask = { id: 2, kind: 'grid', data, properties: [size(width, height), name], references }
  return buildAvif([...items, mask, ...tiles], options)
}

/** The units of an AV1 stream: `{ kind, extension, payload }`. */
export function obusOf(stream) {
  const obus = []
  for (let at = 0; at < stream.length; ) {
    const header = stream[at++]
    const extension = header & 4 ? stream[at++] : null
    let length = 0
    if (header & 2) {
      for (let shift = 0, more = true; more; shift += 7) {
        more = stream[at] > 0x7f
        length += (stream[at++] & 0x7f) * 2 ** shift
      }
    } else length = stream.length - at
    obus.push({ kind: (header >> 3) & 15, extension, payload: stream.subarray(at, at + length) })
    at += length
  }
  return obus
}

/** `length` is what the unit says of its length, if not the truth. */
export function obu({ kind, extension = null, payload, length = payload.length }) {
  const head = [(kind << 3) | (extension === null ? 0 : 4) | 2, ...(extension === null ? [] : [extension])]
  let left = length
  for (; left > 127; left = Math.floor(left / 128)) head.push((left % 128) | 0x80)
  head.push(left)
  return Buffer.concat([Buffer.from(head), payload])
}

/** Metadata: the light level of the brightest pixel and of the brightest frame, in candela per square metre. */
export const LIGHT_LEVEL = { kind: 5, payload: Buffer.from([1, 3, 232, 0, 100, 0x80]) }
