// AVIF files that are wrong in their structure: boxes and units of AV1 streams inserted, left out, doubled, in another
// order, cut, of another length, or with other bits. Everything follows from the seed alone.
import { boxesOf, buildAvif, itemsOf, LIGHT_LEVEL, obu, obusOf } from './avif.mjs'

/** Mulberry32: the same numbers everywhere. */
export function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const below = (random, end) => Math.floor(random() * end)
const pick = (random, list) => list[below(random, list.length)]
const noise = (random, length) => Buffer.from(Array.from({ length }, () => below(random, 256)))

function flipped(random, bytes, reach = bytes.length) {
  const copy = Buffer.from(bytes)
  if (copy.length === 0) return copy
  const last = Math.max(1, Math.min(reach, copy.length))
  for (let left = 1 + below(random, 4); left > 0; left--) copy[below(random, last)] ^= 1 << below(random, 8)
  return copy
}

/** The list with one change that has nothing to do with what its entries are. */
function rearranged(random, list, fresh) {
  const copy = [...list]
  const at = below(random, list.length)
  switch (below(random, 4)) {
    case 0:
      copy.splice(at, 0, fresh())
      break
    case 1:
      copy.splice(at, 1)
      break
    case 2:
      copy.splice(at, 0, list[at])
      break
    default:
      copy.push(...copy.splice(at, 1))
  }
  return copy
}

/** Every kind of unit there is: metadata of all types, padding, lists of tiles, reserved ones. */
function freshObu(random) {
  const types = [1, 2, 3, 4, 5, 99]
  return pick(random, [
    LIGHT_LEVEL,
    { kind: 5, payload: Buffer.concat([Buffer.from([pick(random, types)]), noise(random, below(random, 24))]) },
    { kind: 5, payload: Buffer.from([pick(random, types)]) },
    { kind: 15, payload: noise(random, below(random, 16)) },
    { kind: 2, payload: Buffer.alloc(0) },
    { kind: pick(random, [0, 7, 8, 9, 14]), payload: noise(random, below(random, 32)) },
    { kind: pick(random, [1, 3, 4, 6]), payload: noise(random, below(random, 32)) },
  ])
}

function changedObu(random, unit) {
  const { payload } = unit
  switch (below(random, 6)) {
    case 0:
      return { ...unit, payload: payload.subarray(0, below(random, payload.length)) }
    case 1:
      return { ...unit, length: pick(random, [0, payload.length - 1, payload.length + 1, 127, 128, 2 ** 31, 2 ** 40]) }
    case 2:
      return { ...unit, kind: below(random, 16) }
    case 3:
      return { ...unit, extension: below(random, 256) }
    case 4:
      // Headers are at the front.
      return { ...unit, payload: flipped(random, payload, 12) }
    default:
      return { ...unit, payload: flipped(random, payload) }
  }
}

function mutatedStream(random, stream) {
  let units = obusOf(stream)
  for (let left = 1 + below(random, 3); left > 0; left--) {
    if (units.length === 0) return obu(freshObu(random))
    const at = below(random, units.length)
    units =
      random() < 0.5
        ? rearranged(random, units, () => freshObu(random))
        : units.map((unit, index) => (index === at ? changedObu(random, unit) : unit))
  }
  return Buffer.concat(units.map(obu))
}

/** Where the boxes within a box begin, of those that have any. */
const CONTAINERS = { meta: 4, iprp: 0, ipco: 0, iinf: 6, iref: 4 }
const NAMES = ['free', 'clap', 'irot', 'imir', 'pasp', 'a1op', 'lsel', 'a1lx', 'clli', 'colr', 'ispe', 'av1C', 'uuid']

const tree = data =>
  boxesOf(data).map(({ name, body }) => {
    const start = CONTAINERS[name]
    return start === undefined
      ? { name, body }
      : { name, head: body.subarray(0, start), children: tree(body.subarray(start)) }
  })

function serialized({ name, body, head, children, length }) {
  const content = children ? Buffer.concat([head, ...children.map(serialized)]) : body
  const out = Buffer.alloc(8)
  out.writeUInt32BE(length ?? content.length + 8)
  out.write(name, 4, 'latin1')
  return Buffer.concat([out, content])
}

function changedBox(random, part) {
  const length = serialized(part).length
  switch (below(random, 5)) {
    case 0:
      return { ...part, length: pick(random, [0, 1, 7, 8, length - 1, length + 1, 2 ** 31, 2 ** 32 - 1]) }
    case 1:
      return { ...part, name: pick(random, NAMES) }
    case 2:
      return part.children
        ? { ...part, head: flipped(random, part.head) }
        : { ...part, body: flipped(random, part.body) }
    case 3:
      return part.children
        ? { ...part, children: part.children.slice(0, below(random, part.children.length)) }
        : { ...part, body: part.body.subarray(0, below(random, part.body.length)) }
    default:
      return part.children ? part : { ...part, body: Buffer.concat([part.body, noise(random, below(random, 12))]) }
  }
}

const replaced = (list, at, entry) => list.map((other, index) => (index === at ? entry : other))

/** One change somewhere in a forest of boxes. */
function mutatedBoxes(random, boxes) {
  if (boxes.length === 0) return [{ name: pick(random, NAMES), body: noise(random, below(random, 40)) }]
  const at = below(random, boxes.length)
  const part = boxes[at]
  if (part.children && random() < 0.8) {
    return replaced(boxes, at, { ...part, children: mutatedBoxes(random, part.children) })
  }
  if (random() < 0.5) return replaced(boxes, at, changedBox(random, part))
  return rearranged(random, boxes, () => ({ name: pick(random, NAMES), body: noise(random, below(random, 40)) }))
}

/** A mutant of a well-formed file. */
export function mutant(file, seed) {
  const random = randomFrom(seed)
  let items = itemsOf(file)
  const [streams, boxes] = pick(random, [
    [1, 0],
    [0, 1],
    [1, 1],
    [2, 3],
  ])
  for (let left = streams; left > 0; left--) {
    const coded = items.filter(({ kind }) => kind === 'av01')
    const target = pick(random, coded)
    items = items.map(item => (item === target ? { ...item, data: mutatedStream(random, item.data) } : item))
  }
  // Offsets into "idat" stay right whatever becomes of the boxes around.
  let copy = buildAvif(items, { inFile: random() < 0.2 })
  let parts = tree(copy)
  for (let left = boxes; left > 0; left--) parts = mutatedBoxes(random, parts)
  copy = Buffer.concat(parts.map(serialized))
  if (random() < 0.05) copy = copy.subarray(0, below(random, copy.length))
  // No bytes at all are no image, which is the caller's mistake.
  if (copy.length === 0) copy = Buffer.alloc(1)
  return random() < 0.1 ? flipped(random, copy) : copy
}
