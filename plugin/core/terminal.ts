// How text for a terminal is measured, cut, wrapped and coloured.

/** An output stream, as far as its looks go. */
export interface Screen {
  isTTY?: boolean | undefined
  columns?: number | undefined
}

export type Environment = Record<string, string | undefined>

const SGR = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' }
export type Style = keyof typeof SGR | null
export type Paint = (style: Style, text: string) => string

// Longer lines of prose are hard to read, however wide the window is.
const WIDEST_PROSE = 120
// What an old terminal has, where a terminal does not say.
const DEFAULT_COLUMNS = 80

export function wantsColour(stream: Screen, env: Environment): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: term } = env
  if (forced !== undefined) return !['0', 'false'].includes(forced)
  return !none && term !== 'dumb' && Boolean(stream.isTTY)
}

/** A pipe has no width; whoever reads it gets everything. */
export const screenWidth = (stream: Screen): number =>
  stream.isTTY ? stream.columns || DEFAULT_COLUMNS : Number.POSITIVE_INFINITY

export const painter =
  (colour: boolean): Paint =>
  (style, text) =>
    colour && style && text.trim() !== '' ? `\x1b[${SGR[style]}m${text}\x1b[0m` : text

/** UTF-8 sorts as code points do; UTF-16, which `<` compares, does not. */
export const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

// Control characters, line breaks and marks that turn the direction of writing: a file name must not steer the terminal.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
export const printable = (text: string): string => text.replace(UNPRINTABLE, '\ufffd')

/** A sentence of the engine or an error, on one line and without its full stop. */
export const sentence = (text: string): string => printable(text.trim().replace(/\s+/g, ' ')).replace(/\.$/, '')

const ASCII = /^[\x20-\x7e]*$/
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3ffff}])|\ufe0f/u
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' })
const split = (text: string) =>
  ASCII.test(text) ? [...text] : Array.from(characters.segment(text), part => part.segment)
const cells = (character: string) => (WIDE.test(character) ? 2 : 1)

/** Columns that a text takes. An approximation: blocks of wide scripts and emoji count two, anything else one. */
export const textWidth = (text: string): number =>
  ASCII.test(text) ? text.length : split(text).reduce((sum, character) => sum + cells(character), 0)

/** As much of the beginning as fits. */
function cut(parts: string[], width: number): string[] {
  let used = 0
  const end = parts.findIndex(part => {
    used += cells(part)
    return used > width
  })
  return end < 0 ? parts : parts.slice(0, end)
}

/** Cut in the middle. Of a path the name of the file stays whole if that takes no more than two thirds. */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  const room = Math.max(width - 1, 0)
  const name = textWidth(text.slice(text.lastIndexOf('/')))
  const least = Math.ceil(room / 3)
  const end = name > least && name <= Math.ceil((2 * room) / 3) ? name : least
  const parts = split(text)
  return `${cut(parts, room - end).join('')}…${cut(parts.toReversed(), end).toReversed().join('')}`
}

export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(width - textWidth(text), 0)) + text
export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(width - textWidth(text), 0))

export const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1)
export const size = (bytes: number): string => `${kilobytes(bytes)} kB`
/** For a bound, which a rounded number might seem to meet. */
export const exactly = (bytes: number): string => `${bytes.toLocaleString('en-US')} bytes`

export function time(ms: number): string {
  if (ms < 1) return '<1 ms'
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}

/** The change of a size: '−' is smaller, '+' is larger. */
export function saving(before: number, after: number): string {
  if (before === 0) return '–'
  const text = Math.abs((100 * (before - after)) / before).toFixed(1)
  if (text === '0.0') return '0.0 %'
  return `${after < before ? '−' : '+'}${text} %`
}

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** The names, at most `most` of them, then the number of the others. */
export function list(names: string[], most: number): string[] {
  const rest = names.length - most
  const shown = names.slice(0, most).map((name, i, { length }) => (i < length - 1 ? `${name},` : name))
  return rest > 0 ? [...shown, `and ${rest} more`] : shown
}

/** Lines of words; a word is never broken, but cut in the middle where it is longer than a line. */
export function wrap(words: string[], width: number, indent: string): string[] {
  const limit = Math.min(width, WIDEST_PROSE)
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    // In a pipe a name is worth more than a straight edge.
    const fitted = Number.isFinite(width) ? shorten(word, Math.max(limit - indent.length, 1)) : word
    if (line !== '' && textWidth(line) + 1 + textWidth(fitted) > limit) {
      lines.push(line)
      line = indent + fitted
    } else line += (line && ' ') + fitted
  }
  return line === '' ? lines : [...lines, line]
}
