// Image servers as processes of their own, on the loopback interface: ours, one that sends a buffer, and `next start`. And
// the two who ask them: one request at a time, or wrk.
import { execFile, fork, spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const call = promisify(execFile)
const child = fileURLToPath(new URL('server-child.mjs', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const next = join(modules, 'next/dist/bin/next')
/** Many times what Next takes until it answers. */
const STARTS_WITHIN_MS = 60_000
const CONNECTIONS = 16

/** What Chrome says of images. */
export const ACCEPT = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'

const stopping = (process, signal) => async () => {
  if (process.exitCode !== null || process.signalCode !== null) return
  const ended = new Promise(resolve => process.once('exit', resolve))
  process.kill(signal)
  await ended
}

/** Ours with the options of its handler, or one answer to everything: `{ port, stop }`. */
export async function startServer(settings) {
  const process = fork(child, [JSON.stringify(settings)])
  const port = await new Promise((resolve, reject) => {
    process.once('message', message => resolve(message.port))
    process.once('exit', code => reject(new Error(`The server ended with ${code}.`)))
  })
  return { port, stop: stopping(process, 'SIGKILL') }
}

const PAGES = {
  'package.json': '{ "private": true, "type": "module" }',
  'next.config.mjs': 'export default { images: JSON.parse(process.env.BENCH_IMAGES ?? "{}") }',
  'app/page.js': 'export default () => <p>Pictures</p>',
  'app/layout.js': 'export default ({ children }) => <html lang="en"><body>{children}</body></html>',
}
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }

/** An application of Next with these pictures in `public`, built. */
export async function buildApp(folder, pictures) {
  for (const name of ['app', 'public']) fs.mkdirSync(join(folder, name), { recursive: true })
  for (const [name, text] of Object.entries(PAGES)) fs.writeFileSync(join(folder, name), `${text}\n`)
  for (const { name, bytes } of pictures) fs.writeFileSync(join(folder, 'public', name), bytes)
  fs.symlinkSync(modules, join(folder, 'node_modules'), 'junction')
  // Turbopack follows no link out of the project's folder.
  await call(process.execPath, [next, 'build', '--webpack'], { cwd: folder, env: environment })
}

async function freePort() {
  const server = createServer()
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/** `next start`, without the images that it had made before. */
export async function startNext(folder, images) {
  fs.rmSync(join(folder, '.next/cache/images'), { recursive: true, force: true })
  const port = await freePort()
  const env = { ...environment, BENCH_IMAGES: JSON.stringify(images) }
  const settings = { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] }
  const server = spawn(process.execPath, [next, 'start', '-p', String(port), '-H', '127.0.0.1'], settings)
  const giveUp = performance.now() + STARTS_WITHIN_MS
  for (;;) {
    const answers = await get(port, '/').catch(() => null)
    if (answers?.status === 200) return { port, stop: stopping(server, 'SIGTERM') }
    if (server.exitCode !== null || performance.now() > giveUp) throw new Error('next start does not answer.')
    await sleep(50)
  }
}

/** One answer and the milliseconds that it took: `{ status, headers, body, ms }`. */
export function get(port, path) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const request = http.get({ port, host: '127.0.0.1', path, headers: { accept: ACCEPT } }, response => {
      const chunks = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status, headers } = response
        resolve({ status, headers, body: Buffer.concat(chunks), ms: performance.now() - start })
      })
    })
    request.on('error', reject)
  })
}

/** The image that a path leads to. Throws if there is none. */
export async function getImage(port, path) {
  const answer = await get(port, path)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body.toString().slice(0, 200)}`)
  return answer
}

export async function hasWrk() {
  // Its `--version` ends with an error, but only if there is a wrk.
  return call('wrk', ['--version']).then(
    () => true,
    error => error.code !== 'ENOENT',
  )
}

/** Requests a second. */
export async function requestsPerSecond(port, path, seconds) {
  const args = [
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '-H',
    `Accept: ${ACCEPT}`,
    `http://127.0.0.1:${port}${path}`,
  ]
  const { stdout } = await call('wrk', args)
  if (/Socket errors|Non-2xx/.test(stdout)) throw new Error(`wrk: ${stdout}`)
  return Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)[1])
}
