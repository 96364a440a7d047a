// The image handler under test: a folder of pictures, the two ways to ask (Request and node:http), and a watch for
// rejections that nobody handles.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStorage } from 'unstorage'
import { createImageHandler, toNodeHandler } from '../../esm/server/index.js'
import { fixture } from './fixtures.mjs'

const trouble = []
process.on('unhandledRejection', reason => trouble.push(reason))
process.on('warning', warning => warning.name === 'MaxListenersExceededWarning' && trouble.push(warning))
process.on('exit', () => {
  if (trouble.length === 0) return
  console.error('Unhandled rejections, and listeners that pile up:', trouble)
  process.exitCode = 1
})

/** A folder that is gone at the end, with symbolic links resolved. */
export function folder() {
  const path = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pixrace-server-')))
  after(() => fs.rmSync(path, { recursive: true, force: true }))
  return path
}

/** A handler that is closed at the end; by default without a cache on disk. */
export function handlerOf(options) {
  const handler = createImageHandler({ effort: 'fast', cache: false, ...options })
  after(() => handler.close())
  return handler
}

/** A cache in memory that counts what is written. */
export function countingCache() {
  const storage = createStorage()
  const { setItemRaw } = storage
  const cache = { storage: () => storage, written: 0 }
  storage.setItemRaw = (...given) => {
    cache.written++
    return setItemRaw.apply(storage, given)
  }
  // One storage for several handlers: it is not gone with the first.
  storage.dispose = async () => {}
  return cache
}

/** The target for an image of `url`. */
export const targetOf = (url, width = 16, more = '') => `/_image?url=${encodeURIComponent(url)}&w=${width}${more}`

/** Asks through a Request: status, headers and body. */
export async function askWeb(handler, target, { method = 'GET', headers = {}, signal } = {}) {
  const response = await handler(
    new Request(`http://site.test${target}`, { method, headers, ...(signal && { signal }) }),
  )
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  }
}

/** The handler behind node:http; gone at the end. */
export function serve(handler) {
  return listen(toNodeHandler(handler))
}

/** A server on the loopback interface that is gone at the end, its open connections too. */
export async function listen(answer) {
  const server = http.createServer(answer)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

/** Asks a server by node:http. What belongs to the connection is left out of the headers. */
export function askNode(server, target, { method = 'GET', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    // Past the agent, which a test may have replaced.
    const createConnection = () => net.connect(server.address().port, '127.0.0.1')
    const request = http.request({ path: target, method, headers, createConnection }, response => {
      const chunks = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { date: _, connection: __, 'keep-alive': ___, ...rest } = response.headers
        resolve({ status: response.statusCode, headers: rest, body: Buffer.concat(chunks) })
      })
    })
    request.on('error', reject)
    request.end()
  })
}

/** Pictures, things that only look like pictures, and things that must not be served. */
export function makeSite() {
  const top = folder()
  const root = join(top, 'public')
  const outside = join(top, 'outside')
  for (const path of [root, outside, join(root, 'dir'), join(root, '.git')]) fs.mkdirSync(path)
  const picture = fixture('orientation-1.jpg')
  const files = {
    'small.jpg': picture,
    'dir/inner.jpg': picture,
    'ü b.jpg': picture,
    '100%.jpg': picture,
    'q?x.jpg': picture,
    'a"b;c.jpg': picture,
    'alpha.png': fixture('alpha-gradient.png'),
    'still.gif': fixture('still.gif'),
    'photo.webp': fixture('photo.webp'),
    '.secret.jpg': picture,
    '.git/inner.jpg': picture,
    'svg.png': fixture('bad/svg.svg'),
    'svg.svg': fixture('bad/svg.svg'),
    'html.jpg': '<!doctype html><script>alert(1)</script>',
    'jpeg-then-html.jpg': Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.from('<script>alert(1)</script>')]),
    'corrupt.png': fixture('bad/bad-crc.png'),
    'truncated.jpg': fixture('bad/truncated.jpg'),
    'huge-header.png': fixture('bad/huge-header.png'),
    'empty.jpg': '',
    'text.txt': 'text',
  }
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(join(root, name), content)
  fs.writeFileSync(join(outside, 'secret.jpg'), picture)
  fs.writeFileSync(join(top, 'secret.jpg'), picture)
  // Sparse: takes no place on the disk.
  fs.truncateSync(fs.openSync(join(root, 'large.png'), 'w'), 100_000_000)
  const links = {
    'link.jpg': 'small.jpg',
    'out.jpg': '../outside/secret.jpg',
    outdir: '../outside',
    'hidden.jpg': '.secret.jpg',
    'loop.jpg': 'loop.jpg',
  }
  for (const [name, to] of Object.entries(links)) fs.symlinkSync(to, join(root, name))
  return { top, root, outside }
}

/** Waits for something that happens soon, on a busy machine too. */
export async function until(holds, what) {
  for (let round = 0; round < 1000; round++) {
    if (await holds()) return
    await sleep(10)
  }
  assert.fail(`never: ${what}`)
}

/** A number of the metrics. */
export async function gauge(handler, name) {
  const text = await (await handler.metrics()).text()
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)[1])
}
export const isIdle = async handler =>
  (await gauge(handler, 'pixrace_images_running')) === 0 &&
  (await gauge(handler, 'pixrace_images_queued')) === 0 &&
  (await gauge(handler, 'pixrace_images_in_flight')) === 0
