// Records put together: each source once, and sums over all.
import { byCodePoint } from './terminal.js'
import type { ImageRecord, OutputRecord } from './types.js'

/** The order of formats wherever several are shown, whatever order a build wrote them in. */
export const FORMATS = ['avif', 'webp', 'jpeg', 'png', 'gif']
export const byFormat = (a: string, b: string): number => FORMATS.indexOf(a) - FORMATS.indexOf(b)

/** All records of one source as one: an image may be used plain, as a `?picture` and in two builds. */
export function mergeBySource(records: ImageRecord[]): ImageRecord[] {
  const groups = new Map<string, ImageRecord[]>()
  for (const record of records) {
    const group = groups.get(record.source)
    if (group) group.push(record)
    else groups.set(record.source, [record])
  }
  const sources = [...groups.keys()].sort(byCodePoint)
  return sources.map(source => merge(source, groups.get(source) as ImageRecord[]))
}

function merge(source: string, records: ImageRecord[]): ImageRecord {
  const [leftAlone] = unique(records.flatMap(record => record.leftAlone ?? []))
  return {
    source,
    before: Math.max(...records.map(({ before }) => before)),
    outputs: unique(records.flatMap(({ outputs }) => outputs)),
    warnings: unique(records.flatMap(({ warnings }) => warnings)),
    cached: records.every(({ cached }) => cached),
    elapsedMs: Math.max(...records.map(({ elapsedMs }) => elapsedMs)),
    ...(leftAlone && { leftAlone }),
  }
}

// Several tables are made of the same records.
const identities = new WeakMap<object, string>()

// Two runs of the same work differ in their times, and what comes out of a cache in the order of its keys.
function identity(value: object): string {
  const known = identities.get(value)
  if (known !== undefined) return known
  const made = JSON.stringify(value, (key, part) => {
    if (key === 'elapsedMs') return undefined
    const isObject = typeof part === 'object' && part !== null && !Array.isArray(part)
    return isObject ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => byCodePoint(a, b))) : part
  })
  identities.set(value, made)
  return made
}

/** Does a part of what `mergeBySource` has to do, which for all records at once takes long. */
export function prepare({ outputs }: ImageRecord): void {
  if (outputs.length > 1) for (const output of outputs) identity(output)
}

/** Each once, in an order that does not depend on the given one. */
function unique<T extends object>(values: T[]): T[] {
  if (values.length < 2) return values
  const byIdentity = new Map(values.map(value => [identity(value), value]))
  return [...byIdentity.keys()].sort(byCodePoint).map(key => byIdentity.get(key) as T)
}

/** The file that stands for all outputs of an image: of those of full width the smallest, which a modern browser loads. */
export function mainOutput(outputs: OutputRecord[]): OutputRecord | undefined {
  const [first] = [...outputs].sort((a, b) => b.width - a.width || a.bytes - b.bytes || byFormat(a.format, b.format))
  return first
}

export interface Totals {
  images: number
  before: number
  after: number
  cached: number
}

/** Sums over the images that have an output; `records` has each source once. */
export function totals(records: ImageRecord[]): Totals {
  const sum: Totals = { images: 0, before: 0, after: 0, cached: 0 }
  for (const { before, outputs, cached } of records) {
    const main = mainOutput(outputs)
    if (!main) continue
    sum.images++
    sum.before += before
    sum.after += main.bytes
    sum.cached += Number(cached)
  }
  return sum
}
