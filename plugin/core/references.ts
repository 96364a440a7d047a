// Finds and rewrites references to output files in JavaScript, CSS, HTML and JSON, whatever the way in which a bundler
// writes them: from the root, relative, with a base or a host, percent-encoded or not, with slashes that JSON escapes.
import { posix } from 'node:path'
import type { Turns } from './turns.js'

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

// What stands before a path. A brace ends an expression of a template.
const BEFORE_PATH = /["'`(=\s,:;>|}]/
const AFTER_PATH = /["'`)?#\s,\\&<>;|]/
// Rollup's way for CommonJS: a path that begins with a slash and is relative all the same.
const BEHIND_DIRNAME = /__dirname(?:\s*\+\s*["'`]|\})\/$/
const DIRNAME_LENGTH = 20
// As far back as the beginning of a path is looked for.
const MAX_PREFIX = 1024

interface Spelling {
  text: string
  fileName: string
  encoded: boolean
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The path of the folder in which `fileName` stands, from another folder; with a slash at its end, or empty. */
function folderOf(fileName: string, from: string): string {
  const folder = posix.relative(from, posix.dirname(fileName))
  return folder && `${folder}/`
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
      // Bundlers leave '@' and '+' as they are, html-webpack-plugin does not.
      for (const text of new Set([plain, encodeURI(plain), encodeURIComponent(plain)]))
        this.add({ text, fileName, encoded: text !== plain })
    }
    this.size = names.length
    this.lengths = [...new Set([...this.spellings.keys()].map(key => key.length))].sort((a, b) => b - a)
    const list = [...extensions].map(literally)
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
    return found.filter(({ text: name }) => text.endsWith(name, end))
  }

  /** References in `text`, which is the content of `from`; in their order, never overlapping. */
  find(text: string, from: string): Reference[] {
    const references: Reference[] = []
    for (const found of this.candidates(text, from)) keep(references, found)
    return references
  }

  /** The same, with pauses. */
  async findInTurns(text: string, from: string, turns: Turns): Promise<Reference[]> {
    const references: Reference[] = []
    for (const found of this.candidates(text, from)) {
      await turns.next()
      keep(references, found)
    }
    return references
  }

  /** For each place where a path may end the reference that ends there; null if none does. */
  private *candidates(text: string, from: string): Generator<Reference | null> {
    for (const match of text.matchAll(this.extensions)) {
      const end = match.index + match[0].length
      if (end < text.length && !AFTER_PATH.test(text[end] as string)) continue
      let best: Reference | null = null
      for (const spelling of this.at(text, end)) {
        const found = pointsAt(text, end, spelling, from)
        if (found && (!best || isBetter(found, best))) best = found
      }
      yield best
    }
  }
}

function keep(references: Reference[], found: Reference | null) {
  if (!found) return
  // A name with a space in it may end like another one.
  while ((references.at(-1)?.end ?? 0) > found.start) references.pop()
  references.push(found)
}

// The longest says most; of two that say as much it is the relative one, as browsers read it.
const isBetter = (a: Reference, b: Reference) =>
  a.start < b.start || (a.start === b.start && a.relative !== null && b.relative === null)

/** Where a path begins whose last part begins at `end`, after `folder` in any spelling; null if another folder is there. */
function beginOf(text: string, end: number, folder: string): { start: number; encoded: boolean } | null {
  for (const spelled of new Set([folder, encodeURI(folder)])) {
    const encoded = spelled !== folder
    if (text.endsWith(spelled, end)) return { start: end - spelled.length, encoded }
    const escaped = spelled.replaceAll('/', '\\/')
    if (text.endsWith(escaped, end)) return { start: end - escaped.length, encoded }
  }
  return null
}

const beginsPath = (text: string, start: number) => start === 0 || BEFORE_PATH.test(text[start - 1] as string)

/** Whether a path that goes on at `start` may have begun anywhere before it: at a base, at a host, in a parent folder. */
function mayGoOn(text: string, start: number): boolean {
  let begin = start
  const first = Math.max(0, start - MAX_PREFIX)
  while (begin > first && !/["'`(=\s,;>|}]/.test(text[begin - 1] as string)) begin--
  return /^(?:\\?\/|[a-z][\w+.-]*:|(?:\.{1,2}\\?\/)+$)/i.test(text.slice(begin, start))
}

function relativeAt(text: string, end: number, fileName: string, from: string) {
  const begin = beginOf(text, end, folderOf(fileName, posix.dirname(from)))
  if (!begin) return null
  const { start, encoded } = begin
  const dot = beginOf(text, start, './')
  if (dot && beginsPath(text, dot.start)) return { start: dot.start, encoded, relative: './' }
  const isRelative =
    beginsPath(text, start) || BEHIND_DIRNAME.test(text.slice(Math.max(0, start - DIRNAME_LENGTH), start))
  return isRelative ? { start, encoded, relative: '' } : null
}

function fromRootAt(text: string, end: number, fileName: string) {
  const folder = folderOf(fileName, '.')
  const begin = beginOf(text, end, folder)
  if (!begin) return null
  const { start, encoded } = begin
  const isReference = beginsPath(text, start) || (text[start - 1] === '/' && (folder !== '' || mayGoOn(text, start)))
  return isReference ? { start, encoded, relative: null } : null
}

function pointsAt(text: string, end: number, { text: name, fileName, encoded }: Spelling, from: string) {
  const nameStart = end - name.length
  const before = text[nameStart - 1]
  if (before !== '/' && !beginsPath(text, nameStart)) return null
  const relative = relativeAt(text, nameStart, fileName, from)
  const fromRoot = fromRootAt(text, nameStart, fileName)
  const found = relative && fromRoot && fromRoot.start < relative.start ? fromRoot : (relative ?? fromRoot)
  return found && { ...found, end, fileName, encoded: encoded || found.encoded }
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
