// Servers that images come from, and a network in which they have public addresses.
import http from 'node:http'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fixture } from './fixtures.mjs'
import { listen } from './image-server.mjs'

const PICTURE = fixture('orientation-1.jpg')

/** Sends zeros for as long as somebody reads; at most 100 MB. */
function flood(upstream, response, headers) {
  response.writeHead(200, { 'content-type': 'image/png', ...headers })
  const chunk = Buffer.alloc(65_536)
  let left = 100_000_000
  const send = () => {
    while (left > 0) {
      left -= chunk.length
      upstream.sent += chunk.length
      if (!response.write(chunk)) return
    }
    response.end()
  }
  response.on('drain', send)
  send()
}

/** One byte at a time, `intervalMs` apart. */
async function drip(response, intervalMs) {
  response.writeHead(200, { 'content-type': 'image/jpeg' })
  for (const byte of PICTURE) {
    if (response.destroyed) return
    response.write(Buffer.of(byte))
    await sleep(intervalMs)
  }
  response.end()
}

const send = (response, body, headers = {}) => response.writeHead(200, headers).end(body)
const redirect = (response, location, status = 302) => response.writeHead(status, { location }).end('elsewhere')

const ROUTES = {
  '/ok.jpg': (_, response) => send(response, PICTURE, { 'content-type': 'image/jpeg' }),
  '/lie.png': (_, response) => send(response, PICTURE, { 'content-type': 'image/png' }),
  '/octets': (_, response) => send(response, PICTURE, { 'content-type': 'text/html' }),
  '/untyped': (_, response) => send(response, PICTURE),
  '/html.jpg': (_, response) => send(response, '<script>alert(1)</script>', { 'content-type': 'image/jpeg' }),
  '/svg.png': (_, response) => send(response, fixture('bad/svg.svg'), { 'content-type': 'image/png' }),
  '/svg.svg': (_, response) => send(response, fixture('bad/svg.svg'), { 'content-type': 'image/svg+xml' }),
  '/empty.jpg': (_, response) => send(response, '', { 'content-type': 'image/jpeg' }),
  '/corrupt.png': (_, response) => send(response, fixture('bad/bad-crc.png'), { 'content-type': 'image/png' }),
  '/gone': (_, response) => response.writeHead(410).end(),
  '/error': (_, response) => response.writeHead(500).end('secret of the upstream'),
  '/forbidden': (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
  '/partial': (_, response) =>
    response.writeHead(206, { 'content-range': 'bytes 0-9/100' }).end(PICTURE.subarray(0, 10)),
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': PICTURE.length })
    response.write(PICTURE.subarray(0, 1000), () => response.destroy())
  },
  '/flood': (upstream, response) => flood(upstream, response, {}),
  '/flood-said': (upstream, response) => flood(upstream, response, { 'content-length': 100_000_000 }),
  '/drip': (_, response) => void drip(response, 200),
  '/silent': () => {},
  '/upgrade': (_, response) => {
    response.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n')
  },
  '/nowhere': (_, response) => response.writeHead(302).end(),
  '/bad-location': (_, response) => redirect(response, 'http://['),
  '/to-file': (_, response) => redirect(response, 'file:///etc/passwd'),
  '/to-userinfo': (_, response, { headers }) => redirect(response, `http://user:word@${headers.host}/ok.jpg`),
  '/loop': (_, response) => redirect(response, '/loop'),
  // "/hops/3" is three redirects away from the picture.
  '/hops': (_, response, { url }) => {
    const left = Number(url.split('/')[2])
    if (left === 0) send(response, PICTURE)
    else redirect(response, `/hops/${left - 1}`, [301, 302, 303, 307, 308][left % 5])
  },
  '/to': (_, response, { url }) => redirect(response, decodeURIComponent(url.slice('/to/'.length))),
  '/age': (_, response, { url }) => {
    send(response, PICTURE, { 'cache-control': decodeURIComponent(url.slice('/age/'.length)) })
  },
}

/** A server with pictures and traps; `hits` are the requests that it had, `sent` the bytes of its floods. */
export async function startUpstream(routes = {}) {
  const upstream = { hits: [], sent: 0 }
  const all = { ...ROUTES, ...routes }
  const server = await listen((request, response) => {
    upstream.hits.push({ url: request.url, headers: request.headers, rawHeaders: request.rawHeaders })
    response.on('error', () => {})
    const path = request.url.split('?')[0]
    const route = all[path] ?? all[`/${path.split('/')[1]}`]
    if (route) route(upstream, response, request)
    else response.writeHead(404).end()
  })
  upstream.port = server.address().port
  upstream.base = `http://127.0.0.1:${upstream.port}`
  return upstream
}

/**
 * A network of our own below node:http: addresses lead to ports of this machine, all others nowhere. `contacted` are the
 * addresses that a connection was made to, after whatever the caller's lookup said.
 */
export function fakeNetwork(ports) {
  const real = http.Agent.prototype.createConnection
  const network = { contacted: [], restore: () => {} }
  http.Agent.prototype.createConnection = function (options, done) {
    const connect = address => {
      network.contacted.push(address)
      const port = ports[address]
      if (port) done(null, real.call(this, { host: '127.0.0.1', port }))
      else done(new Error(`no route to ${address}`))
    }
    if (isIP(options.host)) return void connect(options.host)
    options.lookup(options.host, { all: true }, (error, found) => (error ? done(error) : connect(found[0].address)))
  }
  network.restore = () => {
    http.Agent.prototype.createConnection = real
  }
  return network
}
