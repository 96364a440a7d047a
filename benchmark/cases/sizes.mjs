// What a score means at each size: one encoder setting scored from 8 to 256 pixels, and the mean error of the files that the
// default call makes of photographs, drawings and strips. Pairs are put on a contact sheet.
import fs from 'node:fs'
import sharp from 'sharp'
import pixrace from '../../index.js'
import { fixture, spread } from '../lib/corpus.mjs'
import { contactSheet, drawings } from '../lib/small-pictures.mjs'
import { mean } from '../lib/stats.mjs'

export const title = 'Small pictures: what a score means at each size'

const SIZES = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
const FULL = 256
/** Short sides of strips of 256 pixels. */
const STRIPS = [1, 2, 4, 8, 16, 32, 64, 128]
const SETTING = { quality: 75, chromaSubsampling: '4:4:4' }
/** Points that the mean score of one setting may differ by, and how much larger an error may be than at 256 pixels. */
const SCORE_BAR = 8
const ERROR_BAR = 1.25

const exact = { formats: ['png'], lossless: true, keepOriginal: false }

/** 8-bit samples, laid on white, as a browser shows them. */
async function samples(file) {
  const { data } = await pixrace.optimize(file, exact)
  return sharp(data).flatten({ background: '#fff' }).toColourspace('srgb').raw().toBuffer()
}

async function meanError(a, b) {
  const [x, y] = await Promise.all([samples(a), samples(b)])
  return mean(Array.from(x, (value, i) => Math.abs(value - y[i])))
}

const WAYS = {
  resized: (bytes, width, height) => sharp(bytes).resize(width, height, { fit: 'cover' }),
  // From the middle of the picture in 512 pixels.
  cropped: async (bytes, width, height) => {
    const whole = await sharp(bytes).resize(512, 512, { fit: 'cover' }).png().toBuffer()
    const middle = side => Math.floor((512 - side) / 2)
    return sharp(whole).extract({ left: middle(width), top: middle(height), width, height })
  },
}

const made = async (way, bytes, width, height) =>
  (await WAYS[way](bytes, width, height)).png({ compressionLevel: 1 }).toBuffer()

/** Mean score of the same JPEG setting. */
async function settingScore(pictures) {
  const score = async picture => pixrace.score(picture, await sharp(picture).jpeg(SETTING).toBuffer())
  return mean(await Promise.all(pictures.map(score)))
}

/** Files of the default call: size, error, and both pictures. */
async function defaults(pictures) {
  return Promise.all(
    pictures.map(async picture => {
      const { data, format, score } = await pixrace.optimize(picture)
      return { picture, data, format, score, bytes: data.length, error: await meanError(picture, data) }
    }),
  )
}

async function photographs(way, images, progress) {
  const sizes = []
  for (const size of SIZES) {
    progress(`photographs ${way} to ${size} pixels`)
    const pictures = await Promise.all(images.map(({ bytes }) => made(way, bytes, size, size)))
    sizes.push({ size, score: await settingScore(pictures), files: await defaults(pictures) })
  }
  const full = sizes.find(({ size }) => size === FULL).files
  return sizes.map(found => ({ ...found, ratios: found.files.map(({ error }, i) => error / full[i].error) }))
}

const shown = (value, digits = 1) => value.toFixed(digits)

function photographTable(way, sizes) {
  const head = [`${way} to`, 'score of the setting', 'bytes', 'mean error', 'to 256 px, mean', 'to 256 px, worst']
  const rows = sizes.map(({ size, score, files, ratios }) => [
    ...[`${size} px`, shown(score), shown(mean(files.map(({ bytes }) => bytes)), 0)],
    shown(mean(files.map(({ error }) => error)), 2),
    ...[shown(mean(ratios), 2), shown(Math.max(...ratios), 2)],
  ])
  return { head, rows, right: [1, 2, 3, 4, 5] }
}

function figuresOf(way, sizes) {
  const scores = sizes.map(({ score }) => score)
  const spreadOfScores = Math.max(...scores) - Math.min(...scores)
  const bar = (label, value, limit) => ({ label, value, low: value, high: value, limit, passed: value <= limit })
  return [
    bar(`${way}: points between the best and the worst size`, spreadOfScores, SCORE_BAR),
    bar(`${way}: mean error to that at 256 px, worst size`, Math.max(...sizes.map(s => mean(s.ratios))), ERROR_BAR),
    bar(`${way}: the same, worst single picture`, Math.max(...sizes.flatMap(s => s.ratios)), ERROR_BAR),
  ]
}

async function othersTable(groups) {
  const head = ['picture', 'format', 'score', 'bytes', 'mean error']
  const rows = groups.flatMap(({ name, files }) =>
    files.map(({ size, format, score, bytes, error }) => [
      `${name}, ${size}`,
      ...[format, score === null ? '' : shown(score), String(bytes), shown(error, 2)],
    ]),
  )
  return { head, rows, right: [2, 3, 4] }
}

/** Strips across and down, and drawings at each size. */
async function others(image, quick, progress) {
  const groups = []
  const strips = quick ? [8] : STRIPS
  for (const [name, size] of [
    ['strip across', side => [FULL, side]],
    ['strip down', side => [side, FULL]],
  ]) {
    progress(name)
    const pictures = await Promise.all(strips.map(side => made('cropped', image.bytes, ...size(side))))
    const files = (await defaults(pictures)).map((file, i) => ({ ...file, size: size(strips[i]).join(' × ') }))
    groups.push({ name, files })
  }
  for (const [name, draw] of Object.entries(drawings)) {
    progress(name)
    const sizes = quick ? [16] : SIZES
    const pictures = await Promise.all(sizes.map(draw))
    const files = (await defaults(pictures)).map((file, i) => ({ ...file, size: `${sizes[i]} px` }))
    groups.push({ name, files })
  }
  return groups
}

export async function run({ quick, corpus, progress }) {
  const images = quick ? [corpus.kodak[0], corpus.photos[0]] : [...spread(corpus.kodak, 6), ...spread(corpus.photos, 4)]
  const [figures, tables, sheets] = [[], [], {}]
  for (const way of Object.keys(WAYS)) {
    const sizes = await photographs(way, images, progress)
    figures.push(...figuresOf(way, sizes))
    tables.push(photographTable(way, sizes))
    sheets[`photographs-${way}`] = sizes.map(({ files }) => files)
  }
  const groups = await others(images[0], quick, progress)
  tables.push(await othersTable(groups))
  for (const { name, files } of groups) sheets[name.replace(/ /g, '-')] = [files]
  const icons = ['orientation-1.jpg', 'palette.png', 'logo-alpha.png', 'text.png'].map(fixture)
  sheets.fixtures = [await defaults(icons.map(({ bytes }) => bytes))]
  const folder = new URL('../../out/sizes/', import.meta.url)
  fs.mkdirSync(folder, { recursive: true })
  for (const [name, rows] of Object.entries(sheets))
    fs.writeFileSync(new URL(`${name}.png`, folder), await contactSheet(rows))
  const notes = [
    `${images.length} photographs; the setting is JPEG of quality ${SETTING.quality} (4:4:4); errors are levels of 0 to 255, on white.`,
    'Contact sheets, originals above results, are in out/sizes/.',
  ]
  return { figures, tables, notes }
}
