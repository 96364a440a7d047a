// How pixrace shows files beside Chromium and sharp: `npm run viewers -- <folder or file> …` goes through every JPEG, PNG, GIF,
// WebP and AVIF below the folders, told apart by content, and lists those that both show and pixrace refuses or shows
// differently, and whatever made pixrace crash, hang, report an internal error or write to stderr.
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { path as browserPath, openBrowser, squashesAlpha } from '../__test__/support/browser.mjs'
import { mapBounded } from '../__test__/support/corpus.mjs'
import { faultsOf } from './lib/viewers-judge.mjs'
import { Pixrace } from './lib/viewers-pixrace.mjs'
import { formatOf, showBySharp, showInChromium, withSquashedAlpha } from './lib/viewers-show.mjs'

/** Larger files are none that a viewer's fixtures have. */
const LARGEST_BYTES = 64 * 1024 * 1024
/** Files looked at together: while pixrace is at one, Chromium and sharp are at the other. */
const LANES = 2
const USAGE = `npm run viewers -- <folder or file> … [--all] [--json FILE]
  --all   lists also what only one of Chromium and sharp shows and pixrace refuses
  --json  writes what was found of every file to FILE`

function readArguments() {
  const options = {
    all: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const missing = positionals.find(name => !fs.existsSync(name))
  if (missing) throw new Error(`There is no ${missing}.`)
  if (positionals.length === 0 && !values.help) throw new Error('A folder is missing.')
  return { ...values, roots: positionals }
}

/** Every picture below a root: `{ name, file, format }`. */
function picturesBelow(root) {
  const base = path.basename(path.resolve(root))
  const names = fs.statSync(root).isDirectory() ? fs.readdirSync(root, { recursive: true }).sort() : ['']
  return names.flatMap(name => {
    const file = path.join(root, name)
    const stat = fs.statSync(file)
    const format = stat.isFile() && stat.size <= LARGEST_BYTES && formatOf(file)
    return format ? [{ name: path.join(base, name), file: path.resolve(file), format }] : []
  })
}

async function look({ name, file, format }, { browser, squashes, pixrace }) {
  const data = fs.readFileSync(file)
  const [chromium, sharp, own] = await Promise.all([
    showInChromium(browser, { data, format }),
    showBySharp(data),
    pixrace.show(file),
  ])
  const seen = async result => {
    const found = result && (await showInChromium(browser, result))
    return squashes && found && format === 'avif' && result.format !== 'avif' ? withSquashedAlpha(found) : found
  }
  const [shown, byDefault] = [await seen(own.pixels), await seen(own.result)]
  return { name, format, ...faultsOf({ chromium, sharp, own, shown, byDefault, format }) }
}

function print(rows) {
  const cells = rows.flatMap(({ name, format, faults }) =>
    faults.map(({ kind, detail }) => [name, format, kind, detail]),
  )
  const widths = [0, 1, 2].map(column => Math.max(0, ...cells.map(row => row[column].length)))
  for (const row of cells) {
    console.log(row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell)).join('  '))
  }
}

async function compareFolder(root, viewers, { all }) {
  const pictures = picturesBelow(root)
  const pixrace = new Pixrace()
  try {
    const rows = await mapBounded(pictures, LANES, picture => look(picture, { ...viewers, pixrace }))
    const listed = rows.filter(({ faults, shownBy }) => faults.some(({ grave }) => grave || shownBy === 'both' || all))
    print(listed)
    const both = rows.filter(({ shownBy }) => shownBy === 'both').length
    console.log(`${root}: ${rows.length} pictures, ${both} shown by both, ${listed.length} listed.\n`)
    return rows
  } finally {
    await pixrace.close()
  }
}

async function main({ roots, all, json }) {
  if (!browserPath) throw new Error('There is no Chromium; as root on Debian `npm test` installs it.')
  const browser = await openBrowser()
  try {
    const viewers = { browser, squashes: await squashesAlpha(browser) }
    const rows = []
    for (const root of roots) rows.push(...(await compareFolder(root, viewers, { all })))
    if (json) fs.writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`)
    if (rows.some(({ faults }) => faults.some(({ grave }) => grave))) process.exitCode = 1
  } finally {
    await browser.close()
  }
}

let options
try {
  options = readArguments()
} catch (error) {
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
if (options?.help) console.log(USAGE)
else if (options) await main(options)
