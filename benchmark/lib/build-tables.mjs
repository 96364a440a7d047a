// The builds as figures and tables.
import { added, bytesOf, meanScore, scoresOf } from './build-runs.mjs'
import { figure, judged, median, milliseconds, ratios } from './stats.mjs'

/** Share of the time that a cold build adds. */
const WARM_BAR = 0.05

const kilobytes = bytes => `${Math.round(bytes / 1000)} kB`
const score = files => meanScore(files).toFixed(1)
// What is added may be less than nothing where all is noise.
const signed = ms => (ms < 0 ? `−${milliseconds(-ms)}` : milliseconds(ms))
const addedText = (side, none, key) => signed(median(added(side, none, key)))
const both = (side, none) => `${addedText(side, none, 'warm')} against ${addedText(side, none, 'cold')}`

/** What the warm build adds to what the cold one adds. */
function warmFigure({ comparison, none, own, peer }) {
  const [warm, cold] = ['warm', 'cold'].map(key => added(own, none, key))
  const note = `${both(own, none)}; ${peer.label}: ${both(peer, none)}`
  return judged(`${comparison.title}: added time, warm to cold`, ratios({ a: warm, b: cold }), WARM_BAR, { note })
}

function coldFigure({ comparison, none, own, peer }) {
  const [a, b] = [own, peer].map(side => added(side, none, 'cold'))
  const note = `${signed(median(a))} against ${signed(median(b))}`
  // Of medians: what a quick tool adds in one round may be next to nothing, or less.
  return figure(`${comparison.title}: added time, cold, to ${peer.label}`, [median(a) / median(b)], { note })
}

function bytesFigure({ comparison, peer }, side, { name, pick }, bar) {
  const [own, other] = [side, peer].map(({ files }) => pick(files))
  const scores = `mean score ${score(own)} against ${score(other)}`
  const how = side.minScore === undefined ? 'defaults' : `minScore ${side.minScore}`
  const found = figure(`${comparison.title}: ${name}, ${how}, to ${peer.label}`, [bytesOf(own) / bytesOf(other)], {
    digits: 3,
    note: `${kilobytes(bytesOf(own))} against ${kilobytes(bytesOf(other))}, ${scores}`,
  })
  if (!bar) return found
  return { ...found, limit: 1, passed: found.value <= 1 && meanScore(own) >= meanScore(other) }
}

/** Each of the peer's files as pixrace makes it at the same score; the figure is that of all together. */
function alikeFigure({ comparison, peer, alike }) {
  const values = alike.map((bytes, i) => bytes / peer.files[i].bytes)
  const [own, other] = [alike.reduce((sum, bytes) => sum + bytes, 0), bytesOf(peer.files)]
  const note = `${kilobytes(own)} against ${kilobytes(other)}`
  const more = { digits: 3, value: own / other, note }
  return figure(`${comparison.title}: file by file at the score of ${peer.label}`, values, more)
}

/** The figures of one comparison. Bars: what a warm build may add, and bytes at no lower mean score. */
export function figuresOf(found) {
  const { comparison, own, same } = found
  const bytes = comparison.views.flatMap((view, i) => [
    bytesFigure(found, own, view, false),
    bytesFigure(found, same[i], view, view.bar),
  ])
  return [warmFigure(found), coldFigure(found), ...bytes, alikeFigure(found)]
}

const sidesOf = ({ none, own, same, peer }) => [none, own, ...new Set(same), peer]

function sideRow({ comparison, none }, side) {
  const { files, label, minScore } = side
  const looks = side === none ? ['', ''] : [score(files), Math.min(...scoresOf(files)).toFixed(1)]
  const times = key => [milliseconds(median(side[key])), side === none ? '' : addedText(side, none, key)]
  return [
    ...[comparison.title, label, String(files.length), kilobytes(bytesOf(files)), ...looks],
    ...(minScore === undefined ? [...times('cold'), ...times('warm')] : ['', '', '', '']),
  ]
}

export function sideTable(all) {
  return {
    head: ['site', 'tool', 'files', 'images', 'mean score', 'lowest', 'cold build', 'added', 'warm build', 'added'],
    right: [2, 3, 4, 5, 6, 7, 8, 9],
    rows: all.flatMap(found => sidesOf(found).map(side => sideRow(found, side))),
  }
}

function formatRow({ comparison }, side, format) {
  const files = side.files.filter(file => file.format === format)
  if (files.length === 0) return []
  const lowest = Math.min(...scoresOf(files)).toFixed(1)
  return [[comparison.title, format, side.label, String(files.length), kilobytes(bytesOf(files)), score(files), lowest]]
}

/** The same by the format of the files: a mean hides that one format is left as it is and another is not. */
export function formatTable(all) {
  const rows = all.flatMap(found => {
    const sides = sidesOf(found)
    const formats = [...new Set(sides.flatMap(({ files }) => files.map(({ format }) => format)))].sort()
    return formats.flatMap(format => sides.flatMap(side => formatRow(found, side, format)))
  })
  return { head: ['site', 'format', 'tool', 'files', 'images', 'mean score', 'lowest'], right: [3, 4, 5, 6], rows }
}

/** Of tools whose warm build is not what the cold one was. */
export const unstableNotes = all =>
  all.flatMap(({ comparison, own, peer }) =>
    [own, peer]
      .filter(({ isStable }) => !isStable)
      .map(({ label }) => `${comparison.title}: the warm build of ${label} made other files than the cold one.`),
  )
