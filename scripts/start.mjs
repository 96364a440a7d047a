// `npm start`: optimises the project's own fixtures with default options, shows every candidate of every race in a table
// and writes the winners to out/.
import fs from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, parse } from 'node:path'
import { fileURLToPath } from 'node:url'
import pixrace from '../index.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const fixtures = join(root, 'fixtures')
const outDir = join(root, 'out')
const FORMATS = ['avif', 'webp', 'jpeg', 'png']
const GAP = '  '
// Below this a shortened file name says nothing any more.
const LEAST_NAME = 14

function wantsColour() {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: term } = process.env
  if (forced !== undefined) return !['0', 'false'].includes(forced)
  return !none && term !== 'dumb' && Boolean(process.stdout.isTTY)
}

const colour = wantsColour()
// A pipe has no width; whoever reads it gets everything.
const width = process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY
const SGR = { bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36, winner: '1;32', green: 32 }
const paint = (style, text) => (colour && style && text.trim() !== '' ? `\x1b[${SGR[style]}m${text}\x1b[0m` : text)

const number = bytes => (bytes / 1000).toFixed(1)
const size = bytes => `${number(bytes)} kB`

function time(ms) {
  if (ms < 1) return '<1 ms'
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}

function saving(before, after) {
  const percent = (100 * (before - after)) / before
  return `${percent > 0 ? '−' : ''}${percent.toFixed(1)} %`
}

function shorten(text, length) {
  if (text.length <= length) return text
  const end = Math.ceil((length - 1) / 3)
  return `${text.slice(0, length - 1 - end)}…${text.slice(-end)}`
}

// Cells of one column have one width, known before the first answer: rows are shown as they come.
function columnsFor(names, inputs) {
  const sizeWidth = Math.max(...inputs.map(input => size(input.length).length), 'before kB'.length)
  const before = { head: 'before', width: sizeWidth - ' kB'.length, cell: race => number(race.before) }
  const after = { head: '→ after', width: sizeWidth + 2, cell: race => `→ ${size(race.after).padStart(sizeWidth)}` }
  const saved = { head: 'saving', width: 7, cell: race => saving(race.before, race.after), style: savingStyle }
  const best = { head: 'best', width: 4, left: true, cell: race => race.best, style: bestStyle }
  const nameWidth = Math.max(...names.map(name => name.length))
  const name = { head: 'file', width: nameWidth, left: true, cell: race => shorten(race.name, name.width) }
  const base = [name, before, after, saved, best]
  const layouts = ['full', 'size'].map(detail => [...base, ...FORMATS.map(format => candidateColumn(format, detail))])
  const room = columns => width - (totalWidth(columns) - nameWidth)
  // The richest that leaves a name readable; the last has to do.
  const columns = layouts.find(layout => room(layout) >= Math.min(nameWidth, LEAST_NAME)) ?? base
  const complete = columns === layouts[0]
  name.width = Math.max(Math.min(nameWidth, room(columns)), Math.min(nameWidth, LEAST_NAME))
  return { columns, complete }
}

// One space before the arrow, two anywhere else.
const gapBefore = column => (column.head.startsWith('→') ? ' ' : GAP)
const totalWidth = columns =>
  columns.reduce((sum, column, i) => sum + column.width + (i && gapBefore(column).length), 0)

function candidateColumn(format, detail) {
  const full = detail === 'full'
  const text = full ? size : number
  // No other format comes near 100 kB here.
  const sizeWidth = text(format === 'png' ? 999_900 : 99_900).length
  const timeWidth = ' 999 ms'.length
  const cell = race => {
    const found = race.candidates.get(format)
    if (!found || found.bytes === null) return '–'.padStart(sizeWidth)
    return text(found.bytes).padStart(sizeWidth) + (full ? time(found.elapsedMs).padStart(timeWidth) : '')
  }
  const style = race => {
    const outcome = race.candidates.get(format)?.outcome
    if (outcome === 'won') return 'winner'
    return outcome === 'lost' ? null : 'dim'
  }
  // Left, because the name stands over the sizes, where the eye compares.
  return { head: format.padStart(sizeWidth), left: true, width: sizeWidth + (full ? timeWidth : 0), cell, style }
}

const savingStyle = race => (race.after < race.before ? 'cyan' : 'dim')
const bestStyle = race => (race.kept ? 'dim' : 'green')

function line(columns, text, style) {
  const cells = columns.map((column, i) => {
    const bare = text(column)
    const padded = column.left ? bare.padEnd(column.width) : bare.padStart(column.width)
    return `${i ? gapBefore(column) : ''}${paint(style(column), padded)}`
  })
  return cells.join('').trimEnd()
}

function race(name, input, result) {
  // The original is the last candidate and may have the format of another one.
  const candidates = new Map(result.candidates.slice(0, FORMATS.length).map(found => [found.format, found]))
  const kept = result.isOriginal
  return {
    name,
    before: input.length,
    after: result.data.length,
    best: kept ? 'kept' : result.format,
    kept,
    candidates,
  }
}

// Prints rows in the order of the files, each as soon as it and those before it are there.
async function table(names, inputs, answers) {
  const { columns, complete } = columnsFor(names, inputs)
  const styled = style => () => style
  console.log(line(columns, column => column.head, styled('dim')))
  const races = []
  const failures = []
  for (const [i, name] of names.entries()) {
    try {
      const row = race(name, inputs[i], await answers[i])
      races.push(row)
      const style = column => column.style?.(row)
      console.log(line(columns, column => column.cell(row), style))
    } catch (error) {
      failures.push(name)
      const label = shorten(name, columns[0].width).padEnd(columns[0].width)
      console.log(`${label}${GAP}${paint('red', `✖ ${error.code ?? error.name}: ${error.message}`)}`)
    }
  }
  return { complete, races, failures }
}

// Short words for what happens often; anything else in the words of the engine.
function summary({ code, format, message }) {
  if (code === 'format-skipped' && message.includes('transparency')) return `${format} skipped (uses transparency)`
  if (code === 'format-skipped' && message.includes('anim')) return `${format} skipped (animated)`
  return message.replace(/\.$/, '')
}

function printWarnings(names, results) {
  const groups = new Map()
  for (const [i, result] of results.entries()) {
    for (const text of result.warnings.map(summary)) groups.set(text, [...(groups.get(text) ?? []), names[i]])
  }
  if (groups.size > 0) console.log()
  for (const [text, files] of groups) {
    console.log(wrap(`${paint('yellow', '!')} ${text}:`, text.length + 3, files))
  }
}

// A list after its label, broken between files at the end of the terminal.
function wrap(label, labelWidth, files) {
  const limit = Math.min(width, 120)
  const lines = [label]
  let used = labelWidth
  for (const [i, file] of files.entries()) {
    const word = i < files.length - 1 ? `${file},` : file
    if (used + 1 + word.length > limit) {
      lines.push(`   ${word}`)
      used = 3 + word.length
    } else {
      lines[lines.length - 1] += ` ${word}`
      used += 1 + word.length
    }
  }
  return lines.join('\n')
}

// photo.jpg and photo.png may both become photo.avif: files that share a name keep the old extension as well.
function outNames(names, results) {
  const stems = names.map(name => parse(name).name)
  return names.map((name, i) => {
    if (results[i].isOriginal) return name
    const shared = stems.filter(stem => stem === stems[i]).length > 1
    return `${shared ? name : stems[i]}.${results[i].format.replace('jpeg', 'jpg')}`
  })
}

function printTotals(races, count, wallMs) {
  const sum = key => races.reduce((total, row) => total + row[key], 0)
  const [before, after] = [sum('before'), sum('after')]
  const threads = Number(process.env.PIXRACE_THREADS) || availableParallelism()
  const wins = [...FORMATS, 'kept'].map(best => [best, races.filter(row => row.best === best).length])
  const parts = [
    `${races.length === count ? count : `${races.length} of ${count}`} files`,
    ...(before > 0 ? [`${size(before)} → ${size(after)}`, paint('cyan', saving(before, after))] : []),
    `${time(wallMs)} on ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  ]
  const won = wins.filter(([, times]) => times > 0).map(([best, times]) => `${best} ${times}`)
  console.log(`\n${paint('bold', parts[0])}${GAP}${parts.slice(1).join(GAP)}`)
  if (won.length > 0) console.log(`best: ${won.join(', ')}`)
}

function write(names, results) {
  fs.mkdirSync(outDir, { recursive: true })
  for (const [i, name] of outNames(names, results).entries()) fs.writeFileSync(join(outDir, name), results[i].data)
}

async function main() {
  const names = fs.readdirSync(fixtures).filter(name => /\.(jpe?g|png|webp|gif)$/i.test(name))
  names.sort()
  const inputs = names.map(name => fs.readFileSync(join(fixtures, name)))
  const start = performance.now()
  const answers = inputs.map(input => pixrace.optimize(input))
  // Rows wait for their turn; a rejection that nobody awaits yet would end the process.
  const settled = Promise.allSettled(answers).then(all => ({ all, wallMs: performance.now() - start }))
  const { races, failures, complete } = await table(names, inputs, answers)
  const { all, wallMs } = await settled
  const done = names.filter((_, i) => all[i].status === 'fulfilled')
  const results = all.filter(({ status }) => status === 'fulfilled').map(({ value }) => value)
  printTotals(races, names.length, wallMs)
  printWarnings(done, results)
  if (!complete) console.log(paint('dim', '\nA wider terminal shows the size and time of every candidate.'))
  if (failures.length > 0) process.exitCode = 1
  if (done.length === 0) return
  write(done, results)
  console.log(`\nThe ${done.length === 1 ? 'winner is' : `${done.length} winners are`} in out/.`)
}

await main()
