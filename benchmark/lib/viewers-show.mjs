// What a file looks like in the two viewers: its size and its pixels, RGBA in sRGB; of an animation the first frame.
import fs from 'node:fs'
import sharp from 'sharp'

/** Larger pictures are compared in a part of this many pixels a side, from the middle. */
const LARGEST_SIDE = 2048
const BRANDS = ['avif', 'avis', 'mif1', 'miaf', 'msf1']

/** The format that the first bytes tell of; undefined for all others. */
export function formatOf(file) {
  const head = Buffer.alloc(64)
  const descriptor = fs.openSync(file)
  const length = fs.readSync(descriptor, head, 0, head.length, 0)
  fs.closeSync(descriptor)
  const text = (from, to) => head.toString('latin1', from, Math.min(to, length))
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg'
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (/^GIF8[79]a/.test(text(0, 6))) return 'gif'
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp'
  if (text(4, 8) === 'ftyp' && BRANDS.includes(text(8, 12)) && text(8, 64).includes('avi')) return 'avif'
  return undefined
}

/** `{ width, height, picture }`, `picture` being its middle if it is large; or `{ error }`. */
export async function showInChromium(browser, { data, format }) {
  const { png, error, width, height } = await browser.show({ data, format }, { largest: LARGEST_SIDE, smallest: 0 })
  if (error) return { error }
  return { width, height, picture: await pixelsOf(sharp(png)) }
}

/** The same by sharp, which shows no part of a file that it finds a fault in. */
export async function showBySharp(data) {
  try {
    const all = await pixelsOf(sharp(data).autoOrient().toColourspace('srgb'))
    return { width: all.width, height: all.height, picture: middle(all) }
  } catch (error) {
    return { error: error.message }
  }
}

async function pixelsOf(image) {
  const { data, info } = await image.ensureAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

/** What a browser that takes alpha for limited range would show of the same picture in an AVIF. */
export function withSquashedAlpha(shown) {
  if (shown.error) return shown
  const data = Buffer.from(shown.picture.data)
  for (let at = 3; at < data.length; at += 4) {
    data[at] = Math.min(255, Math.max(0, Math.round(((data[at] - 16) * 255) / 219)))
  }
  return { ...shown, picture: { ...shown.picture, data } }
}

/** The part of a large picture that Chromium shows. */
function middle(all) {
  if (all.width * all.height <= LARGEST_SIDE * LARGEST_SIDE * 1.25) return all
  const [width, height] = [Math.min(all.width, LARGEST_SIDE), Math.min(all.height, LARGEST_SIDE)]
  const [left, top] = [Math.floor((all.width - width) / 2), Math.floor((all.height - height) / 2)]
  const data = Buffer.alloc(width * height * 4)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * all.width + left) * 4
    all.data.copy(data, y * width * 4, from, from + width * 4)
  }
  return { width, height, data }
}
