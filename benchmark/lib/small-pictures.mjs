// Drawings of any size, and sheets on which small pictures can be looked at.
import sharp from 'sharp'
import pixrace from '../../index.js'

const fromSvg = (size, inner) =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="${size}" height="${size}">${inner}</svg>`,
    ),
  )
    .png()
    .toBuffer()

const ramp =
  '<linearGradient id="g" x2="1" y2="1"><stop stop-color="#1b4d89"/><stop offset="1" stop-color="#f6b26b"/></linearGradient>'
const badge =
  '<circle cx="32" cy="32" r="30" fill="#d9432f"/><path d="M18 34l10 10 20-24" fill="none" stroke="#fff" stroke-width="7"/>'

/** Each takes a side in pixels and gives a PNG. */
export const drawings = {
  gradient: size => fromSvg(size, `<defs>${ramp}</defs><rect width="64" height="64" fill="url(#g)"/>`),
  icon: size => fromSvg(size, `<rect width="64" height="64" fill="#fff"/>${badge}`),
  'icon with alpha': size => fromSvg(size, badge),
  'translucent gradient': size =>
    fromSvg(size, `<defs>${ramp}</defs><circle cx="32" cy="32" r="31" fill="url(#g)" fill-opacity=".6"/>`),
  text: size =>
    fromSvg(
      size,
      '<rect width="64" height="64" fill="#fffdf5"/><text x="3" y="27" font-size="24" font-family="sans-serif" fill="#222">Rg8</text><text x="3" y="56" font-size="24" font-family="serif" fill="#14507a">&amp;abc</text>',
    ),
}

const SIDE = 128
const GAP = 8

/** Enlarged without smoothing, in the middle of its cell, on grey. */
async function cell(file) {
  const { data } = await pixrace.optimize(file, { formats: ['png'], lossless: true, keepOriginal: false })
  const background = '#808080'
  const scaled = sharp(data)
    .flatten({ background })
    .resize(SIDE, SIDE, { fit: 'contain', kernel: 'nearest', background })
  return scaled.png().toBuffer()
}

/** A PNG with a row of pairs for each row of files: what was given above what came of it. */
export async function contactSheet(rows) {
  const cells = []
  for (const [y, files] of rows.entries()) {
    for (const [x, { picture, data }] of files.entries()) {
      const left = GAP + x * (SIDE + GAP)
      const top = GAP + y * 2 * (SIDE + GAP)
      cells.push({ input: await cell(picture), left, top }, { input: await cell(data), left, top: top + SIDE + 2 })
    }
  }
  const width = GAP + Math.max(...rows.map(files => files.length)) * (SIDE + GAP)
  const height = GAP + rows.length * 2 * (SIDE + GAP)
  return sharp({ create: { width, height, channels: 3, background: '#404040' } })
    .composite(cells)
    .png()
    .toBuffer()
}
