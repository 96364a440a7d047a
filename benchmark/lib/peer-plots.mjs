// The comparison in two pictures: rate against score, and time against bytes.
import sharp from 'sharp'
import pixrace from '../../index.js'
import { cached, digest } from './cache.mjs'
import { scoreOf } from './peer-files.mjs'
import { BASELINE, SIDES } from './peer-runs.mjs'
import { PEERS } from './peer-tools.mjs'
import { plot } from './plot.mjs'
import { mean, median } from './stats.mjs'

/** Five points on each encoder's own scale. */
const QUALITIES = [30, 45, 60, 75, 90]

const COLORS = { avif: '#1f5fbf', webp: '#b8560b', jpeg: '#6f3fa3' }
const MARKS = {
  pixrace: { color: '#0b7a53', shape: 'circle' },
  sharp: { color: '#1f5fbf', shape: 'square', dash: '7 4' },
  '@napi-rs/image': { color: '#b8560b', shape: 'triangle', dash: '2 4' },
}
const NAMES = { avif: 'AVIF', webp: 'WebP', jpeg: 'JPEG' }

// Files of one image at one quality, as `{ format, data }`.
const OWN = Object.keys(NAMES)
async function ownFiles(bytes, quality) {
  const options = { quality, formats: OWN, strategy: 'all', keepOriginal: false }
  const { candidates } = await pixrace.optimize(bytes, options)
  return candidates.filter(({ data }) => data)
}

// libwebp and mozjpeg are the same libraries everywhere: of @napi-rs/image its AVIF is enough.
const [SHARP, NAPI] = PEERS
const PEER_CURVES = [
  { tool: SHARP, setting: SHARP.avif[0].setting, name: 'sharp AVIF, effort 4' },
  { tool: SHARP, setting: SHARP.rest.find(({ id }) => id === 'webp'), name: 'sharp WebP' },
  { tool: SHARP, setting: SHARP.rest.find(({ id }) => id === 'mozjpeg'), name: 'sharp JPEG (mozjpeg)' },
  { tool: NAPI, setting: NAPI.avif[0].setting, name: '@napi-rs/image AVIF' },
]

/** Bits per pixel and score of a file. */
async function rated(original, file) {
  const { width, height } = await sharp(original).metadata()
  return { rate: (file.length * 8) / (width * height), score: await scoreOf(original, file) }
}

function peerRated({ tool, setting }, { name, bytes }, quality) {
  const key = [name, digest(bytes), `${tool.name} ${tool.version}`, setting.id, `quality ${quality}`]
  return cached(key, async () => rated(bytes, await setting.encode(await tool.open(Buffer.from(bytes)), quality)))
}

const pointOf = list => ({ x: mean(list.map(({ rate }) => rate)), y: mean(list.map(({ score }) => score)) })

async function peerCurve(curve, images, progress) {
  const points = []
  for (const quality of QUALITIES) {
    const list = []
    for (const image of images) {
      progress(`plot: ${curve.name} at ${quality}, ${image.name}`)
      list.push(await peerRated(curve, image, quality))
    }
    points.push(pointOf(list))
  }
  const { format } = curve.setting
  return { ...MARKS[curve.tool.name], name: curve.name, color: COLORS[format], points }
}

async function ownCurves(images, progress) {
  const points = Object.fromEntries(OWN.map(format => [format, []]))
  for (const quality of QUALITIES) {
    const lists = Object.fromEntries(OWN.map(format => [format, []]))
    for (const { name, bytes } of images) {
      progress(`plot: pixrace at ${quality}, ${name}`)
      for (const { format, data } of await ownFiles(bytes, quality)) lists[format].push(await rated(bytes, data))
    }
    for (const format of OWN) points[format].push(pointOf(lists[format]))
  }
  return OWN.map(format => ({
    ...MARKS.pixrace,
    name: `pixrace ${NAMES[format]}`,
    color: COLORS[format],
    points: points[format],
  }))
}

/** Mean bits per pixel against mean score, a curve for each tool and format. */
export async function rateScore(images, progress) {
  const series = await ownCurves(images, progress)
  for (const curve of PEER_CURVES) series.push(await peerCurve(curve, images, progress))
  const title = 'Rate against score'
  const svg = plot({
    title,
    subtitle: `Means of ${images.length} photos of 768 × 512 at qualities ${QUALITIES.join(', ')}; further left and up is better`,
    x: { label: 'bits per pixel', log: true, show: String },
    y: { label: 'SSIMULACRA2', show: String },
    series,
    withLegend: true,
  })
  return { file: 'rate-score.svg', title, svg }
}

/** Median time against mean bytes on photos, a point for each tool and effort. */
export function timeBytes(photos, floor) {
  const sideOf = ({ sides }, name) => sides.find(side => side.name === name)
  const baseline = photos.map(image => sideOf(image, BASELINE).winner.bytes)
  const pointOfSide = name => ({
    label: name,
    x: median(photos.map(image => median(sideOf(image, name).times))) / 1000,
    y: mean(photos.map((image, i) => sideOf(image, name).winner.bytes / baseline[i])),
  })
  const series = SIDES.map(name => ({ ...MARKS[name.split(',')[0]], name, points: [pointOfSide(name)] }))
  const title = 'Time against bytes'
  const svg = plot({
    title,
    subtitle: `${photos.length} photos of 2048 pixels, smallest file with SSIMULACRA2 of at least ${floor}; further left and down is better`,
    x: {
      label: 'seconds: pixrace with its search, the others four formats at a known quality',
      log: true,
      show: String,
    },
    y: { label: "bytes, sharp's effort 4 being 1", show: value => value.toFixed(2) },
    series,
  })
  return { file: 'time-bytes.svg', title, svg }
}
