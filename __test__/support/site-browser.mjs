// Opens a built site in Chromium, from a server of its own, and says what it loaded and what it showed.
import http from 'node:http'
import { posix } from 'node:path'
import { chromium } from 'playwright-core'
import { FLAGS, path } from './browser.mjs'

export const TYPES = {
  ...{
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.webmanifest': 'application/manifest+json',
  },
  ...{ '.avif': 'image/avif', '.webp': 'image/webp', '.jpg': 'image/jpeg', '.png': 'image/png', '.gif': 'image/gif' },
  '.svg': 'image/svg+xml',
}

/** The media type of an image by its first bytes; null for anything else. */
export function typeOf(bytes) {
  const start = bytes.toString('latin1', 0, 16)
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (start.startsWith('\x89PNG\r\n')) return 'image/png'
  if (start.startsWith('GIF8')) return 'image/gif'
  if (/^RIFF....WEBP/s.test(start)) return 'image/webp'
  return /^....ftypavi[fs]/s.test(start) ? 'image/avif' : null
}

const DATA_URL = /data:(image\/[\w+.-]+);base64,([A-Za-z0-9+/=]+)/g

/** The images that stand in a text: what it calls them, and what they are. */
export const dataUrlsIn = text =>
  [...text.matchAll(DATA_URL)].map(([, type, base64]) => ({ type, is: typeOf(Buffer.from(base64, 'base64')) }))

/** Serves `files` below `base` and nothing else. */
async function serve(files, base) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const name = pathname.startsWith(base) ? decodeURIComponent(pathname.slice(base.length)) || 'index.html' : null
    const body = name === null ? undefined : files.get(name)
    response.writeHead(body ? 200 : 404, body ? { 'content-type': TYPES[posix.extname(name)] ?? 'text/plain' } : {})
    response.end(body)
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

/** In the page: every image once it is decoded, and the backgrounds of all elements. */
async function look() {
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})))
  const shown = [...document.images].map(image => {
    const { currentSrc, naturalWidth, alt, srcset } = image
    return { currentSrc, naturalWidth, alt, srcset, sized: image.hasAttribute('width') && image.hasAttribute('height') }
  })
  const backgrounds = [...document.querySelectorAll('*')].flatMap(element =>
    [...getComputedStyle(element).backgroundImage.matchAll(/url\("([^"]+)"\)/g)].map(match => match[1]),
  )
  const pictures = [...document.querySelectorAll('picture')].map(picture => picture.querySelector('img').alt)
  return { shown, backgrounds, pictures }
}

/** In the page, before anything else: how far things move without the visitor's doing. */
function watchShifts() {
  window.shifted = 0
  const add = list => {
    for (const { value } of list.getEntries()) window.shifted += value
  }
  new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true })
}

/** In the page: down to its end, a screen at a time, so that lazy images are asked for. */
async function scrollThrough() {
  for (let top = 0; top < document.documentElement.scrollHeight; top += window.innerHeight / 2) {
    window.scrollTo(0, top)
    await new Promise(done => setTimeout(done, 50))
  }
}

/** Notes what is wrong on a page, and every answer that it gets. */
function listen(page, origin) {
  const problems = []
  const pending = []
  page.on('console', message => ['error', 'warning'].includes(message.type()) && problems.push(message.text()))
  page.on('pageerror', error => problems.push(error.message))
  page.on('requestfailed', request => problems.push(`${request.url()} failed`))
  page.on('response', response => {
    if (!response.url().startsWith('data:')) pending.push(record(response, origin))
  })
  return { problems, pending }
}

export async function openVisitor() {
  const browser = await chromium.launch({ executablePath: path, args: FLAGS })

  /**
   * Visits what `origin` serves at `path`, with nothing in the browser's cache. Gives `responses` (path, status, type, and the
   * body's length and true type), `problems` (errors of the console and of scripts), `shown` (all `<img>`), `backgrounds`
   * (addresses), `pictures` (the alternative texts of images that stand in a `<picture>`) and `shifted` (the layout's shifts, all
   * together). `screenshot` is a file to write; `until` is waited for; `act` is called with the page before it is looked at.
   */
  async function visitAt(origin, path, { screenshot, until = '.map img', scroll = false, act } = {}) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    const { problems, pending } = listen(page, origin)
    try {
      await page.addInitScript(watchShifts)
      await page.goto(`${origin}${path}`, { waitUntil: 'load' })
      await page.locator(until).first().waitFor({ state: 'attached' })
      if (scroll) await page.evaluate(scrollThrough)
      await page.waitForLoadState('networkidle')
      await act?.(page)
      const seen = await page.evaluate(look)
      if (screenshot) await page.screenshot({ path: screenshot, fullPage: true })
      const relative = url => url.replace(origin, '')
      const shown = seen.shown.map(image => ({ ...image, currentSrc: relative(image.currentSrc) }))
      const backgrounds = seen.backgrounds.map(relative)
      const shifted = await page.evaluate(() => window.shifted)
      return { ...seen, shown, backgrounds, shifted, problems, responses: await Promise.all(pending) }
    } finally {
      await page.close()
    }
  }

  /** Visits the site that `files` make up. */
  async function visit(files, { base = '/', ...how } = {}) {
    const server = await serve(files, base)
    try {
      return await visitAt(server.origin, base, how)
    } finally {
      server.close()
    }
  }

  return { visit, visitAt, close: () => browser.close() }
}

async function record(response, origin) {
  const body = await response.body().catch(() => Buffer.alloc(0))
  const type = response.headers()['content-type'] ?? ''
  return {
    ...{ path: response.url().replace(origin, ''), status: response.status(), type },
    ...{ bytes: body.length, is: typeOf(body) },
  }
}
