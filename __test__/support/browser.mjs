// Shows pictures in a real Chromium, headless, and reads back what it shows. Playwright answers every request of the page
// from memory, so nothing is fetched from anywhere.
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { browserPath } from '../../scripts/setup.mjs'

export const path = browserPath()

// sRGB whatever the screen, software rendering whatever the machine, and no traffic of the browser's own. Tests may run as
// root, where Chromium's sandbox cannot.
export const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb', '--no-first-run', '--disable-quic'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

// `localhost` counts as secure, which ImageDecoder asks for.
const ORIGIN = 'http://localhost'

/** A larger picture is looked at in a part of this many pixels a side, from its middle, unscaled. */
export const LARGEST_SIDE = 2048
const THUMBNAIL_SIDE = 160

/** Pictures up to this size are looked at enlarged: in small ones SSIMULACRA2 finds red and blue alike (a pixel: 88.8). */
const SMALL_SIDE = 64

const SIDES = { largest: LARGEST_SIDE, smallest: SMALL_SIDE, thumbnail: THUMBNAIL_SIDE }

/** `{ show, pixels, firstFrame, frames, screenshot, sheet, close }`: see each. */
export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: path, args: FLAGS })
  const page = await browser.newPage()
  const served = new Map()
  await page.route('**/*', route => {
    const file = served.get(new URL(route.request().url()).pathname)
    return file ? route.fulfill(file) : route.fulfill({ status: 404 })
  })
  served.set('/', { body: '<!doctype html><title>pixrace</title><body style="margin: 0">', contentType: 'text/html' })
  await page.goto(`${ORIGIN}/`)
  let files = 0

  /** `run(address, more)` in the page, with the file at that address. */
  async function withFile({ data, format }, run, more) {
    const address = `/${files++}.${format}`
    served.set(address, { body: data, contentType: `image/${format}` })
    try {
      return await page.evaluate(run, { address, ...more })
    } finally {
      served.delete(address)
    }
  }

  return {
    version: browser.version(),
    show: (file, sides) => withFile(file, draw, { ...SIDES, ...sides }).then(fromPage),
    pixels: file => withFile(file, readPixels),
    firstFrame: file => withFile(file, drawFirstFrame, { type: `image/${file.format}` }).then(fromPage),
    frames: file => withFile(file, readFrames, { type: `image/${file.format}` }),
    screenshot: (file, size) => screenshot(browser, file, size),
    sheet: (html, width, height) => sheet(browser, html, width, height),
    close: () => browser.close(),
  }
}

/**
 * Whether half-transparent AVIFs of another encoder too come out with another transparency: Debian 12's Chromium takes the alpha
 * of every AVIF for limited range.
 */
export async function squashesAlpha(browser) {
  const grey = { r: 128, g: 128, b: 128, alpha: 64 / 255 }
  const picture = sharp({ create: { width: 32, height: 32, channels: 4, background: grey } })
  const { png } = await browser.show({ data: await picture.avif({ quality: 90 }).toBuffer(), format: 'avif' })
  const { data } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  return Math.abs(data[3] - 64) > 4
}

const bytesOf = dataUrl => Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64')

const fromPage = ({ png, ...rest }) => ({ ...rest, png: png && bytesOf(png) })

/**
 * In the page: what an `<img>` shows of the file, orientation and colour profile applied, as a PNG. An image that is in no
 * document does not play, so of an animation it is the first frame. `part` says that the PNG is only the middle of it;
 * `thumbnail` is the whole picture, made smaller. `error` is all there is if Chromium does not decode the file.
 */
async function draw({ address, largest, smallest, thumbnail }) {
  const image = new Image()
  image.src = address
  try {
    await image.decode()
  } catch {
    return { error: 'is not decoded by Chromium' }
  }
  const { naturalWidth: width, naturalHeight: height } = image
  const paint = (from, to) => {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, to)
    const context = canvas.getContext('2d', { willReadFrequently: true })
    context.imageSmoothingEnabled = to.width < from.width
    context.imageSmoothingQuality = 'high'
    const [left, top] = [Math.floor((width - from.width) / 2), Math.floor((height - from.height) / 2)]
    context.drawImage(image, left, top, from.width, from.height, 0, 0, to.width, to.height)
    return canvas.toDataURL('image/png')
  }
  const whole = { width, height }
  const times = factor => ({
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  })
  const longer = Math.max(width, height)
  const fits = width * height <= largest * largest * 1.25
  const part = fits ? whole : { width: Math.min(width, largest), height: Math.min(height, largest) }
  const enlarged = longer <= smallest ? times(Math.ceil((2 * smallest) / longer)) : part
  const small = times(Math.min(1, thumbnail / longer))
  return { width, height, part: !fits, png: paint(part, enlarged), thumbnail: paint(whole, small) }
}

/** In the page: the natural size of a small picture, and its pixels as levels of red, green, blue and alpha. */
async function readPixels({ address }) {
  const image = new Image()
  image.src = address
  await image.decode()
  const { naturalWidth: width, naturalHeight: height } = image
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.drawImage(image, 0, 0)
  return { width, height, pixels: [...context.getImageData(0, 0, width, height).data] }
}

/** In the page: the first frame by number, from the decoder without an image element. */
async function drawFirstFrame({ address, type }) {
  const { body } = await fetch(address)
  const { image } = await new ImageDecoder({ data: body, type }).decode({ frameIndex: 0 })
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: image.displayWidth, height: image.displayHeight })
  canvas.getContext('2d', { willReadFrequently: true }).drawImage(image, 0, 0)
  return { width: canvas.width, height: canvas.height, png: canvas.toDataURL('image/png') }
}

/**
 * In the page: `{ width, height, plays, frames }`, the size that an `<img>` takes, how often it plays, and every frame as an
 * array of RGBA samples. `error` is all there is if Chromium does not decode the file.
 */
async function readFrames({ address, type }) {
  const image = new Image()
  image.src = address
  try {
    await image.decode()
    const { body } = await fetch(address)
    const decoder = new ImageDecoder({ data: body, type })
    await decoder.completed
    const { frameCount, repetitionCount } = decoder.tracks.selectedTrack
    const { naturalWidth: width, naturalHeight: height } = image
    const frames = []
    for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
      const shown = (await decoder.decode({ frameIndex })).image
      const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
      context.drawImage(shown, 0, 0)
      frames.push([...context.getImageData(0, 0, width, height).data])
    }
    return { width, height, plays: repetitionCount === Infinity ? 0 : repetitionCount + 1, frames }
  } catch {
    return { error: 'is not decoded by Chromium' }
  }
}

/** A screenshot of a page that holds nothing but the picture, on nothing. */
async function screenshot(browser, { data, format }, { width, height }) {
  const page = await browser.newPage({ viewport: { width, height } })
  try {
    const source = `data:image/${format};base64,${data.toString('base64')}`
    await page.setContent(`<body style="margin: 0"><img style="display: block" src="${source}">`)
    await page.locator('img').evaluate(image => image.decode())
    return await page.screenshot({ omitBackground: true })
  } finally {
    await page.close()
  }
}

/** Screenshots of a whole page, cut into pieces of `height`. */
async function sheet(browser, html, width, height) {
  const page = await browser.newPage({ viewport: { width, height } })
  try {
    await page.setContent(html)
    const whole = await page.evaluate(() => document.documentElement.scrollHeight)
    const pieces = []
    for (let top = 0; top < whole; top += height) {
      const clip = { x: 0, y: top, width, height: Math.min(height, whole - top) }
      pieces.push(await page.screenshot({ clip, fullPage: true }))
    }
    return pieces
  } finally {
    await page.close()
  }
}
