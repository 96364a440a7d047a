// Results for a terminal and for benchmark/README.md.
import fs from 'node:fs'
import { machineLines } from './machine.mjs'

const readme = new URL('../README.md', import.meta.url)
const START = '<!-- results: written by `npm run bench -- [case …] --write` -->'
const END = '<!-- end of results -->'

// Adding 0 after rounding turns -0.0 into 0.0.
const shown = (value, { unit, digits = 2 }) =>
  unit === 'ms' ? `${(Math.round(value * 10) / 10 + 0).toFixed(1)} ms` : value.toFixed(digits)
const medianOf = figure => shown(figure.value, figure)
const rangeOf = figure =>
  figure.low === figure.high ? '' : `${shown(figure.low, figure)} – ${shown(figure.high, figure)}`

function barOf({ limit, below, passed, unit }) {
  if (limit === undefined) return ''
  return `${passed ? '✔' : '✖'} ${below ? 'below' : 'at most'} ${unit === 'ms' ? `${limit} ms` : limit.toFixed(2)}`
}

const cellsOf = figure => [figure.label, medianOf(figure), rangeOf(figure), barOf(figure), figure.note ?? '']

/** Rows with their columns aligned: the first and the last to the left, as `right` says. */
function aligned(rows, right) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map(row => row[i].length)))
  const pad = (cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
  return rows.map(row => row.map(pad).join('  ').trimEnd())
}

/** One case as lines for a terminal. */
export function caseText({ name, title, figures, table, tables = table ? [table] : [], notes = [] }) {
  const lines = [`${name}: ${title}`]
  if (figures.length > 0) lines.push(...aligned(figures.map(cellsOf), [1]).map(line => `  ${line}`), '')
  for (const { head, rows, right = [2, 3, 4, 5, 6] } of tables) {
    lines.push(...aligned([head, ...rows], right).map(line => `  ${line}`), '')
  }
  return [...lines, ...notes.map(note => `  ${note}`), ''].join('\n')
}

export const machineText = machine => machineLines(machine).join('\n')

const markdownRow = cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`

function caseMarkdown({ name, title, figures, table, tables = table ? [table] : [], notes = [], plots = [] }) {
  const head = ['Figure', 'Median', 'Range', 'Bar', 'Behind it']
  const lines = [`### ${title} (\`${name}\`)`, '']
  const rule = columns => markdownRow(columns.map(() => '---'))
  if (figures.length > 0)
    lines.push(markdownRow(head), rule(head), ...figures.map(figure => markdownRow(cellsOf(figure))), '')
  for (const { head, rows } of tables) lines.push(markdownRow(head), rule(head), ...rows.map(markdownRow), '')
  for (const { file, title: alt } of plots) lines.push(`![${alt}](${file})`, '')
  if (notes.length > 0) lines.push(...notes.map(note => `- ${note}`), '')
  return lines.join('\n')
}

/** Writes the plots of all cases beside benchmark/README.md. */
export function writePlots(cases) {
  for (const { file, svg } of cases.flatMap(({ plots = [] }) => plots)) {
    fs.writeFileSync(new URL(`../${file}`, import.meta.url), svg)
  }
}

const HEADING = /^### .*\(`(\w+)`\)$/m

/** Sections of the results by the name of their case. */
function sectionsOf(results) {
  const texts = results.split(/^(?=### )/m).filter(text => HEADING.test(text))
  return new Map(texts.map(text => [HEADING.exec(text)[1], text.trimEnd()]))
}

/** Replaces the results of these cases in benchmark/README.md; `order` names all that there are. */
export function writeReadme({ machine, command, rounds, source, cases, order }) {
  const text = fs.readFileSync(readme, 'utf8')
  const [start, end] = [text.indexOf(START), text.indexOf(END)]
  if (start < 0 || end < start) throw new Error('benchmark/README.md has lost the comments around its results.')
  const about = [...machineLines(machine), `${source}; medians of ${rounds} rounds; \`${command}\``]
  const sections = sectionsOf(text.slice(start + START.length, end))
  for (const { notes = [], ...one } of cases) {
    sections.set(one.name, caseMarkdown({ ...one, notes: [...notes, ...about] }).trimEnd())
  }
  const body = order.filter(name => sections.has(name)).map(name => sections.get(name))
  fs.writeFileSync(readme, `${text.slice(0, start + START.length)}\n\n${body.join('\n\n')}\n\n${text.slice(end)}`)
}
