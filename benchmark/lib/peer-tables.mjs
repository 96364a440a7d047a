// The comparison in tables: all images of a folder together, each image, and each format of the peers.
import { BASELINE, SIDES } from './peer-runs.mjs'
import { mean, median, milliseconds } from './stats.mjs'

const kilobytes = bytes => (bytes / 1000).toFixed(1)
const sideOf = ({ sides }, name) => sides.find(side => side.name === name)
const winnersOf = (images, name) => images.map(image => sideOf(image, name).winner)

/** "avif 7, png 2": how often each format is the smallest. */
function counted(formats) {
  const counts = new Map()
  for (const format of formats) counts.set(format, (counts.get(format) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([format, count]) => `${format} ${count}`)
    .join(', ')
}

function summaryRow(folder, images, name) {
  const [winners, baseline] = [winnersOf(images, name), winnersOf(images, BASELINE)]
  return [
    folder,
    name,
    mean(winners.map(({ bytes }, i) => bytes / baseline[i].bytes)).toFixed(3),
    kilobytes(mean(winners.map(({ bytes }) => bytes))),
    mean(winners.map(({ score }) => score)).toFixed(1),
    milliseconds(median(images.map(image => median(sideOf(image, name).times)))),
    counted(winners.map(({ format }) => format)),
  ]
}

export function summary(found) {
  return {
    head: ['images', 'tool', "bytes to sharp's", 'mean kB', 'mean score', 'median time', 'smallest'],
    right: [2, 3, 4, 5],
    rows: Object.entries(found).flatMap(([folder, images]) => SIDES.map(name => summaryRow(folder, images, name))),
  }
}

export function perImage(found) {
  const cell = ({ format, bytes }) => `${format} ${kilobytes(bytes)}`
  const rows = Object.entries(found).flatMap(([folder, images]) =>
    images.map(image => [`${folder}/${image.name}`, ...SIDES.map(name => cell(sideOf(image, name).winner))]),
  )
  return { head: ['image, smallest in kB', ...SIDES], right: SIDES.map((_, i) => i + 1), rows }
}

function rangeOf(values) {
  if (values.length === 0) return ''
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return low === high ? String(low) : `${low} – ${high}`
}

function formatRow(folder, count, label, files) {
  const qualities = files.map(({ quality }) => quality).filter(quality => quality !== null)
  return [
    folder,
    label,
    `${files.length} of ${count}`,
    kilobytes(mean(files.map(({ bytes }) => bytes))),
    rangeOf(qualities),
    mean(files.map(({ score }) => score)).toFixed(1),
  ]
}

/** What each setting of a peer gave, over the images where it is the tool's file of that format. */
export function byFormat(found) {
  const rows = Object.entries(found).flatMap(([folder, images]) => {
    const files = new Map()
    for (const [i, { sides }] of images.entries()) {
      // The sides of one tool share all files but the AVIF ones: one of each is enough.
      for (const { tool, files: made } of sides.filter(side => side.tool)) {
        for (const file of made) {
          const label = `${tool} ${file.setting}`
          files.set(label, (files.get(label) ?? new Map()).set(i, file))
        }
      }
    }
    return [...files].map(([label, found]) => formatRow(folder, images.length, label, [...found.values()]))
  })
  return { head: ['images', 'file', 'chosen for', 'mean kB', 'quality', 'mean score'], right: [2, 3, 4, 5], rows }
}
