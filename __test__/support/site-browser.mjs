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
  const shown = [...document.images].map(({ currentSrc, naturalWidth, alt }) => ({ currentSrc, naturalWidth, alt }))
  const backgrounds = [...document.querySelectorAll('*')].flatMap(element =>
    [...getComputedStyle(element).backgroundImage.matchAll(/url\("([^"]+)"\)/g)].map(match => match[1]),
  )
  const pictures = [...document.querySelectorAll('picture')].map(picture => picture.querySelector('img').alt)
  return { shown, backgrounds, pictures }
}

export async function openVisitor() {
  const browser = await chromium.launch({ executablePath: path, args: FLAGS })

  /**
   * Visits the site that `files` make up. Gives `responses` (path, status, type, and the body's length and true type),
   * `problems` (errors of the console and of scripts), `shown` (all `<img>`), `backgrounds` (addresses) and `pictures` (the
   * alternative texts of images that stand in a `<picture>`). `screenshot` is a file to write.
   */
  async function visit(files, { base = '/', screenshot } = {}) {
    const server = await serve(files, base)
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    const problems = []
    const pending = []
    page.on('console', message => ['error', 'warning'].includes(message.type()) && problems.push(message.text()))
    page.on('pageerror', error => problems.push(error.message))
    page.on('requestfailed', request => problems.push(`${request.url()} failed`))
    page.on('response', response => {
      if (!response.url().startsWith('data:')) pending.push(record(response, server.origin))
    })
    try {
      await page.goto(`${server.origin}${base}`, { waitUntil: 'load' })
      await page.locator('.map img').waitFor({ state: 'attached' })
      await page.waitForLoadState('networkidle')
      const seen = await page.evaluate(look)
      if (screenshot) await page.screenshot({ path: screenshot, fullPage: true })
      const relative = url => url.replace(server.origin, '')
      const shown = seen.shown.map(image => ({ ...image, currentSrc: relative(image.currentSrc) }))
      const backgrounds = seen.backgrounds.map(relative)
      return { ...seen, shown, backgrounds, problems, responses: await Promise.all(pending) }
    } finally {
      await page.close()
      server.close()
    }
  }

  return { visit, close: () => browser.close() }
}

async function record(response, origin) {
  const body = await response.body().catch(() => Buffer.alloc(0))
  const type = response.headers()['content-type'] ?? ''
  return {
    ...{ path: response.url().replace(origin, ''), status: response.status(), type },
    ...{ bytes: body.length, is: typeOf(body) },
  }
}
