// Edits of a chunk that has a source map: the map has to know where everything went.
import remapping from '@jridgewell/remapping'
import MagicString from 'magic-string'
import type { Edit } from './html.js'

export interface RawMap {
  version: number
  sources: (string | null)[]
  names: string[]
  mappings: string
  sourcesContent?: (string | null)[]
  file?: string | null
}

/** The map of an edited text, from the map of the text before. */
export function mapOfEdits(code: string, edits: Edit[], map: RawMap): RawMap {
  const text = new MagicString(code)
  for (const { start, end, text: to } of edits) {
    if (start === end) text.appendLeft(start, to)
    else text.update(start, end, to)
  }
  const moved = text.generateMap({ hires: 'boundary', includeContent: false })
  return remapping([moved as never, map as never], () => null) as unknown as RawMap
}
