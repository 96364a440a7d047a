// Finds and rewrites references to output files in JavaScript, CSS, HTML and JSON, whatever the way in which a bundler
// writes them: from the root, relative, with a base or a host in front, percent-encoded or not.
import { posix } from 'node:path'

/** A reference: `start` to `end` of the text is a path that names `fileName`. */
export interface Reference {
  start: number
  end: number
  fileName: string
  /** Whether the text has it percent-encoded. */
  encoded: boolean
  /** Where the path is relative to the text's own folder: how it begins ('./' or nothing). Null where it is from the root. */
  relative: string | null
}

// As many characters of a name's end as are looked up at once. Names that are shorter are their own key.
const KEY_LENGTH = 12
// Longest way in front of a base name that is looked at; longer ones are taken for what their end says.
const MAX_PREFIX = 1024

const BEFORE = /["'`(=\s,\\/:;>]/
const AFTER = /["'`)?#\s,\\&<;|]/
const PATH_BEFORE = /[^"'`(),=<>\s\\]*$/

interface Spelling {
  text: string
  fileName: string
  encoded: boolean
}

/** All spellings of the base names of `fileNames`, found by their last characters. */
export class ReferenceIndex {
  private readonly spellings = new Map<string, Spelling[]>()
  private readonly lengths: number[]
  private readonly extensions: RegExp
  readonly size: number

  constructor(fileNames: Iterable<string>) {
    const extensions = new Set<string>()
    const names = [...new Set(fileNames)]
    for (const fileName of names) {
      const plain = posix.basename(fileName)
      extensions.add(posix.extname(plain))
      this.add({ text: plain, fileName, encoded: false })
      const encoded = encodeURI(plain)
      if (encoded !== plain) this.add({ text: encoded, fileName, encoded: true })
    }
    this.size = names.length
    this.lengths = [...new Set([...this.spellings.keys()].map(key => key.length))].sort((a, b) => b - a)
    const list = [...extensions].map(ext => ext.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    this.extensions = new RegExp(list.length > 0 ? `(?:${list.join('|')})(?![\\w.-])` : '(?!)', 'g')
  }

  private add(spelling: Spelling) {
    const key = spelling.text.slice(-KEY_LENGTH)
    const list = this.spellings.get(key) ?? []
    list.push(spelling)
    this.spellings.set(key, list)
  }

  private at(text: string, end: number): Spelling[] {
    const found = this.lengths.flatMap(length => this.spellings.get(text.slice(Math.max(0, end - length), end)) ?? [])
    return found.filter(({ text: name }) => text.endsWith(name, end)).sort((a, b) => b.text.length - a.text.length)
  }

  /** References in `text`, which is the content of `from`; in their order, never overlapping. */
  find(text: string, from: string): Reference[] {
    const references: Reference[] = []
    for (const match of text.matchAll(this.extensions)) {
      const end = match.index + match[0].length
      if (end < text.length && !AFTER.test(text[end] as string)) continue
      for (const spelling of this.at(text, end)) {
        const found = pointsAt(text, end, spelling, from)
        if (!found) continue
        references.push(found)
        break
      }
    }
    return references
  }
}

function pointsAt(
  text: string,
  end: number,
  { text: name, fileName, encoded }: Spelling,
  from: string,
): Reference | null {
  const start = end - name.length
  if (start > 0 && !BEFORE.test(text[start - 1] as string)) return null
  const written = PATH_BEFORE.exec(text.slice(Math.max(0, start - MAX_PREFIX), start))?.[0] ?? ''
  const folder = posix.dirname(fileName) === '.' ? '' : `${posix.dirname(fileName)}/`
  const spelled = encoded ? encodeURI(folder) : folder
  const reference = { end, fileName, encoded }
  const here = posix.join(posix.dirname(from), written)
  if (
    /^\.{0,2}\/|^$/.test(written) &&
    !written.startsWith('/') &&
    posix.join('.', here, '.') === posix.join('.', spelled, '.')
  ) {
    return { ...reference, start: start - written.length, relative: written.startsWith('./') ? './' : '' }
  }
  const fromRoot =
    written === spelled || (written.endsWith(spelled) && (spelled === '' || written.endsWith(`/${spelled}`)))
  return fromRoot ? { ...reference, start: start - spelled.length, relative: null } : null
}

/** The path by which a reference in `from` names `to`, written as the old one was. */
export function pathTo({ encoded, relative }: Reference, from: string, to: string): string {
  const path = relative === null ? to : relative + posix.relative(posix.dirname(from), to)
  return encoded ? encodeURI(path) : path
}

/** A data URL of an image: its place in the text and its bytes. */
export interface InlineImage {
  start: number
  end: number
  url: string
}

const DATA_URL = /data:image\/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/]+={0,2}/g

export const inlineImages = (text: string): InlineImage[] =>
  [...text.matchAll(DATA_URL)].map(match => ({ start: match.index, end: match.index + match[0].length, url: match[0] }))

export const bytesOfDataUrl = (url: string) => Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
