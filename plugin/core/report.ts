// What a build says of its images at its end: a table and notes for people, a manifest for programs.
import { byFormat, FORMATS, mainOutput, mergeBySource, type Totals, totals } from './merge.js'
import {
  byCodePoint,
  count,
  kilobytes,
  list,
  type Paint,
  padEnd,
  padStart,
  painter,
  printable,
  type Style,
  saving,
  sentence,
  shorten,
  size,
  textWidth,
  time,
  wrap,
} from './terminal.js'
import type { CandidateSummary, ImageRecord, LeftAloneCode, OutputRecord } from './types.js'

export interface ReportOptions {
  /** Columns of the terminal; `Infinity` for a pipe. */
  width: number
  colour: boolean
  /** Wall time of all images together, in milliseconds; left out where it is not known. */
  wallMs?: number
}

// A table that scrolls away is not read: beyond `MOST_ROWS` images only the `TOP_ROWS` that saved most are shown.
const MOST_ROWS = 40
const TOP_ROWS = 20
// Enough to know what kind of files a note is about.
const MOST_NAMES = 5
// Messages that quote numbers of their image are all different.
const MOST_NOTES = 10
// Below this a shortened path says nothing any more.
const LEAST_NAME = 20
const GAP = '  '

interface Row {
  source: string
  before: number
  after: number
  /** 'jpeg → avif+webp ×3 widths'. */
  formats: string
  /** 'avif ×6'. */
  short: string
  changed: boolean
  score: number | null
  cached: boolean
  elapsedMs: number
}

const EXTENSIONS: Record<string, string> = { jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', apng: 'png' }

function extension(source: string): string {
  const [, found = ''] = /\.([^./]+)$/.exec(source) ?? []
  return found.toLowerCase()
}

/** By the original where it is an output, else by the name; null if that says nothing. */
function sourceFormat({ source, outputs }: ImageRecord): string | null {
  const original = outputs.find(({ isOriginal }) => isOriginal)
  const format = EXTENSIONS[extension(source)] ?? extension(source)
  return original?.format ?? (FORMATS.includes(format) ? format : null)
}

function rowOf(record: ImageRecord): Row | null {
  const { source, before, outputs, cached, elapsedMs } = record
  const main = mainOutput(outputs)
  if (!main) return null
  const from = sourceFormat(record)
  const arrow = (to: string) => (from && from !== to ? `${from} → ${to}` : to)
  const formats = [...new Set(outputs.map(({ format }) => format))].sort(byFormat)
  const widths = new Set(outputs.map(({ width }) => width)).size
  const complete = formats.length * widths === outputs.length
  const times = complete ? (widths > 1 ? ` ×${widths} widths` : '') : `, ${outputs.length} files`
  const one = main.isOriginal ? `${main.format}, kept` : arrow(main.format)
  return {
    ...{ source: printable(source), before, cached, elapsedMs },
    after: main.bytes,
    formats: outputs.length === 1 ? one : arrow(formats.join('+')) + times,
    short: outputs.length === 1 ? one : `${main.format} ×${outputs.length}`,
    changed: main.format !== from,
    score: main.score,
  }
}

interface Column {
  head: string
  left?: boolean
  width: number
  cell(row: Row): string
  style?(row: Row): Style
}

function column(head: string, rows: Row[], rest: Omit<Column, 'head' | 'width'>): Column {
  return { head, ...rest, width: Math.max(...[head, ...rows.map(row => rest.cell(row))].map(textWidth)) }
}

const dimWhere = (is: boolean): Style => (is ? 'dim' : null)

function savingStyle({ before, after }: Row): Style {
  if (after > before) return 'yellow'
  return after < before ? 'cyan' : 'dim'
}

// The richest layout that leaves the names readable; the last has to do.
function columnsFor(rows: Row[], width: number): Column[] {
  const sizes = Math.max(...rows.flatMap(row => [size(row.before), size(row.after)]).map(text => text.length))
  const name = column('file', rows, { left: true, cell: row => row.source })
  const before = column('before', rows, { cell: row => kilobytes(row.before) })
  const after = column('→ after', rows, { cell: row => `→ ${size(row.after).padStart(sizes)}` })
  const saved = column('saving', rows, { cell: row => saving(row.before, row.after), style: savingStyle })
  const formatStyle = (row: Row): Style => (row.changed ? 'green' : 'dim')
  const full = column('format', rows, { left: true, cell: row => row.formats, style: formatStyle })
  const short = column('format', rows, { left: true, cell: row => row.short, style: formatStyle })
  const judged = column('score', rows, {
    cell: row => row.score?.toFixed(1) ?? '–',
    style: row => dimWhere(row.score === null),
  })
  const spent = column('time', rows, {
    cell: row => (row.cached ? 'cached' : time(row.elapsedMs)),
    style: row => dimWhere(row.cached),
  })
  const score = rows.some(row => row.score !== null) ? [judged] : []
  const layouts = [
    [name, before, after, saved, full, ...score, spent],
    [name, before, after, saved, short, ...score, spent],
    [name, before, after, saved, short, ...score],
    [name, before, after, saved, short],
    [name, before, after, saved],
    [name, saved],
  ]
  const room = (columns: Column[]) => width - (totalWidth(columns) - name.width)
  const wanted = Math.min(name.width, LEAST_NAME)
  const columns = layouts.find(layout => room(layout) >= wanted) ?? [name, saved]
  const nameWidth = Math.min(name.width, Math.max(room(columns), textWidth(name.head)))
  return [{ ...name, width: nameWidth, cell: row => shorten(row.source, nameWidth) }, ...columns.slice(1)]
}

// One space before the arrow, two anywhere else.
const gapBefore = ({ head }: Column) => (head.startsWith('→') ? ' ' : GAP)
const totalWidth = (columns: Column[]) =>
  columns.reduce((sum, column, i) => sum + column.width + (i && gapBefore(column).length), 0)

function tableLine(
  columns: Column[],
  paint: Paint,
  text: (column: Column) => string,
  style: (column: Column) => Style,
) {
  const last = columns.length - 1
  const cells = columns.map((column, i) => {
    // Spaces at the end of a line are only copied along.
    const padded = column.left
      ? i < last
        ? padEnd(text(column), column.width)
        : text(column)
      : padStart(text(column), column.width)
    return `${i ? gapBefore(column) : ''}${paint(style(column), padded)}`
  })
  return cells.join('')
}

function table(rows: Row[], width: number, paint: Paint): string[] {
  const saved = ({ before, after }: Row) => before - after
  const largest = [...rows].sort((a, b) => saved(b) - saved(a)).slice(0, TOP_ROWS)
  const shown = rows.length > MOST_ROWS ? rows.filter(row => largest.includes(row)) : rows
  const columns = columnsFor(shown, width)
  const head = tableLine(
    columns,
    paint,
    ({ head }) => head,
    () => 'dim',
  )
  const body = shown.map(row =>
    tableLine(
      columns,
      paint,
      ({ cell }) => cell(row),
      ({ style }) => style?.(row) ?? null,
    ),
  )
  const hidden = rows.length - shown.length
  const rest = hidden > 0 ? [paint('dim', `… and ${hidden} more`)] : []
  return [head, ...body, ...rest]
}

function totalLines(
  { images, before, after, cached }: Totals,
  { width, wallMs }: ReportOptions,
  paint: Paint,
): string[] {
  const fromCache = cached === images ? 'all from the cache' : `${cached} from the cache`
  const parts: [Style, string][] = [
    ['bold', count(images, 'image')],
    [null, `${size(before)} → ${size(after)}`],
    [after > before ? 'yellow' : 'cyan', saving(before, after)],
    ...(cached > 0 ? [[null, fromCache] satisfies [Style, string]] : []),
    ...(wallMs === undefined ? [] : [[null, time(wallMs)] satisfies [Style, string]]),
  ]
  const lines: { text: string; used: number }[] = []
  for (const [style, text] of parts) {
    const last = lines.at(-1)
    const used = (last?.used ?? 0) + GAP.length + textWidth(text)
    if (last && used <= width) Object.assign(last, { text: `${last.text}${GAP}${paint(style, text)}`, used })
    else lines.push({ text: paint(style, text), used: textWidth(text) })
  }
  return lines.map(({ text }) => text)
}

interface Group {
  text: string
  names: string[]
}

function group(pairs: [text: string, name: string][]): Group[] {
  const groups = new Map<string, Set<string>>()
  for (const [text, name] of pairs) groups.set(text, (groups.get(text) ?? new Set()).add(name))
  return [...groups].map(([text, names]) => ({ text, names: [...names] }))
}

/** At most `MOST_NOTES` paragraphs, then the number of the others. */
function notes(mark: string, style: Style, paragraphs: string[][], width: number, paint: Paint): string[] {
  const lines = paragraphs.slice(0, MOST_NOTES).flatMap(words => {
    const [first = '', ...more] = wrap([mark, ...words], width, '  ')
    return [paint(style, mark) + first.slice(mark.length), ...more]
  })
  const hidden = paragraphs.length - MOST_NOTES
  return hidden > 0 ? [...lines, paint('dim', `… and ${hidden} more`)] : lines
}

const named = ({ text, names }: Group) => [...`${text}:`.split(' '), ...list(names, MOST_NAMES)]

const leftAloneNote = (what: string[], why: string) => ['left', 'alone:', ...what, ...`(${why})`.split(' ')]

/** 'left alone: 3 svg, 1 ico (not a format that pixrace reads)': files that nobody expected to change need no names. */
function kinds({ text, names }: Group): string[] {
  const byKind = group(names.map(name => [extension(name) || 'other', name]))
  const counts = byKind.map(({ text: kind, names: files }) => `${files.length} ${kind}`)
  return leftAloneNote(
    list(counts, MOST_NAMES).flatMap(part => part.split(' ')),
    text,
  )
}

/** What went wrong, what the engine warns of and what was left alone, each once; '' where there is nothing. */
export function formatNotes(
  records: ImageRecord[],
  { width, colour }: Pick<ReportOptions, 'width' | 'colour'>,
): string {
  const paint = painter(colour)
  const merged = mergeBySource(records)
  const left = (code: LeftAloneCode) =>
    group(
      merged.flatMap(({ source, leftAlone }) =>
        leftAlone?.code === code ? [[sentence(leftAlone.message), printable(source)]] : [],
      ),
    )
  const warned = merged.flatMap(({ source, warnings }) =>
    warnings.map(({ code, message }) => ({ code, text: sentence(message), name: printable(source) })),
  )
  const codes = [...new Set(warned.map(({ code }) => code))].sort(byCodePoint)
  const groups = codes.flatMap(code =>
    group(warned.flatMap(warning => (warning.code === code ? [[warning.text, warning.name]] : []))),
  )
  return [
    ...notes(
      '✖',
      'red',
      left('failed').map(({ text, names }) => leftAloneNote(list(names, MOST_NAMES), text)),
      width,
      paint,
    ),
    ...notes('!', 'yellow', groups.map(named), width, paint),
    ...notes('·', 'dim', left('unsupported').map(kinds), width, paint),
  ].join('\n')
}

/** The table, the totals and the notes, without a line break at the end; '' where there is nothing to say. */
export function formatReport(records: ImageRecord[], options: ReportOptions): string {
  const paint = painter(options.colour)
  const merged = mergeBySource(records)
  const rows = merged.flatMap(record => rowOf(record) ?? [])
  const blocks = [
    ...(rows.length > 0 ? [table(rows, options.width, paint), totalLines(totals(merged), options, paint)] : []),
    [formatNotes(records, options)],
  ]
  return blocks
    .map(lines => lines.join('\n'))
    .filter(Boolean)
    .join('\n\n')
}

/** What a build made of its images. Nothing in it depends on the time, the machine's speed or the cache. */
export interface Manifest {
  /** Of this shape. */
  version: 1
  /** By the source's path from the project's root, in the order of code points. */
  images: Record<string, ManifestImage>
}

export interface ManifestImage {
  /** Size of the source. */
  bytes: number
  /** Sorted by name; inlined ones last. */
  outputs: ManifestOutput[]
  warnings: ImageRecord['warnings']
  /** Why the image is as it was; absent where it was worked on. */
  leftAlone?: { code: LeftAloneCode; message: string }
}

/** A file of the build. */
export type ManifestOutput = Omit<OutputRecord, 'candidates'> & {
  /** Everything that was tried for it. */
  candidates: ManifestCandidate[]
}

export type ManifestCandidate = Omit<CandidateSummary, 'elapsedMs'>

export function buildManifest(records: ImageRecord[]): Manifest {
  const entries = mergeBySource(records).map(({ source, before, outputs, warnings, leftAlone }) => {
    const image: ManifestImage = {
      bytes: before,
      outputs: outputs.map(manifestOutput).sort(byFile),
      warnings: warnings.map(({ code, format, message }) => ({ code, ...(format && { format }), message })),
      ...(leftAlone && { leftAlone: { code: leftAlone.code, message: leftAlone.message } }),
    }
    return [source, image] as const
  })
  return { version: 1, images: Object.fromEntries(entries) }
}

// Named field by field: what a record may gain later is not published by accident, and the order of the keys is ours.
function manifestOutput({ fileName, format, width, height, bytes, ...rest }: OutputRecord): ManifestOutput {
  const { quality, score, isOriginal } = rest
  const candidates = rest.candidates.map(({ format, bytes, quality, score, encodes, outcome }) => ({
    ...{ format, bytes, quality, score, encodes, outcome },
  }))
  return { fileName, format, width, height, bytes, quality, score, isOriginal, candidates }
}

function byFile(a: ManifestOutput, b: ManifestOutput): number {
  if (a.fileName !== null && b.fileName !== null) return byCodePoint(a.fileName, b.fileName)
  return Number(a.fileName === null) - Number(b.fileName === null)
}
