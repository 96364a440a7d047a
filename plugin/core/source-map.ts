// Edits of a chunk that has a source map: the map has to know where everything went.
import remapping from '@jridgewell/remapping'
import MagicString, { SourceMap } from 'magic-string'
import type { Edit } from './html.js'

export interface RawMap {
  version: number
  sources: (string | null)[]
  names: string[]
  mappings: string
  sourcesContent?: (string | null)[]
  file?: string | null
}

const numbered = (list: unknown[]) => list.map((_, index) => String(index))

type Segment = [number] | [number, number, number, number] | [number, number, number, number, number]

/** The map of an edited text, from the map of the text before: only `mappings` is another. */
export function mapOfEdits(code: string, edits: Edit[], map: RawMap): RawMap {
  const text = new MagicString(code)
  for (const { start, end, text: to } of edits) {
    if (start === end) text.appendLeft(start, to)
    else text.update(start, end, to)
  }
  const moved = text.generateDecodedMap({ hires: 'boundary' })
  // Numbers instead of names: what comes back in another order can be put into the old one, to which other fields refer.
  const before = { version: 3, sources: numbered(map.sources), names: numbered(map.names), mappings: map.mappings }
  const after = remapping([moved as never, before as never], () => null, { decodedMappings: true })
  const sources = after.sources.map(Number)
  const names = after.names.map(Number)
  const mappings = (after.mappings as Segment[][]).map(line =>
    line.map((segment): Segment => {
      if (segment.length === 1) return segment
      const [column, source, ...place] = segment
      const [sourceLine, sourceColumn, name] = place as [number, number, number?]
      const own: Segment = [column, sources[source] as number, sourceLine, sourceColumn]
      return name === undefined ? own : [...own, names[name] as number]
    }),
  )
  return { ...map, mappings: new SourceMap({ ...map, mappings } as never).mappings }
}
