// Shows what the image handler answers to each request of a table, by status, headers and body, through Request and
// Response and through a real server of node:http; that an image's bytes are of the type that they are said to be; and that
// no request of the table makes a connection to a private address.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { sniff } from '../esm/core/formats.js'
import { askNode, askWeb, countingCache, handlerOf, makeSite, serve, targetOf } from './support/image-server.mjs'
import { ROWS } from './support/requests.mjs'
import { fakeNetwork, startUpstream } from './support/upstream.mjs'

const PUBLIC = '93.184.215.14'
const ADDRESSES = {
  'public.test': [PUBLIC],
  'private.test': ['10.0.0.1'],
  'private.test.': ['10.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
  'localhost.': ['127.0.0.1'],
  'mixed.test': [PUBLIC, '192.168.1.1'],
  'mapped.test': ['::ffff:169.254.169.254'],
  'nat64.test': ['64:ff9b::a00:1'],
  'zone.test': ['fe80::1%lo'],
  'metadata.test': ['169.254.169.254'],
  'empty.test': [],
  'nonsense.test': ['localhost'],
}

let rebound = 0
const resolver = async hostname => {
  // Public for every check, private for whoever asks again before the connection.
  if (hostname === 'rebinding.test') return rebound++ % 2 === 0 ? [PUBLIC] : ['127.0.0.1']
  const found = ADDRESSES[hostname]
  if (!found) throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
  return found
}

const { root } = makeSite()
const { storage } = countingCache()
const handler = handlerOf({
  roots: root,
  remotePatterns: [{ hostname: '**' }],
  resolver,
  cache: { storage },
  // Everything comes from the cache, so that what is said of its origin does not depend on time.
  memory: 0,
  maxSourceBytes: 1_000_000,
  fetchTimeoutMs: 1200,
})
const server = await serve(handler)
const upstream = await startUpstream()
const privateServer = await startUpstream()
const { port } = privateServer
const network = fakeNetwork({ [PUBLIC]: upstream.port, '127.0.0.1': port, '10.0.0.1': port })
after(() => network.restore())

const WAYS = {
  web: (target, request) => askWeb(handler, target, request),
  node: (target, request) => askNode(server, target, request),
}

/** The headers that belong to a body besides those of the table. */
const ofBody = body => ({
  'content-length': String(body.length),
  etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
})

/** JPEG unless something else is said; null is no header. */
const withAccept = headers => {
  const all = { accept: 'image/jpeg', ...headers }
  if (all.accept === null) delete all.accept
  return all
}

async function check(ask, target, { headers = {}, ...request }, expected) {
  const isImage = expected.status === 200 || expected.status === 304
  const isConditional = typeof headers === 'function'
  // An image is asked for twice: then it is in the cache, and its tag is known.
  const first = isImage ? await ask(target, { headers: withAccept(isConditional ? {} : headers) }) : null
  const own = isConditional ? headers(first.headers.etag) : headers
  const answer = await ask(target, { ...request, headers: withAccept(own) })
  const { 'content-length': length, etag } = first ? ofBody(first.body) : {}
  assert.equal(answer.status, expected.status)
  assert.deepEqual(answer.headers, {
    ...expected.headers,
    ...(isImage && { etag }),
    ...(expected.status === 200 && { 'content-length': length }),
  })
  if (expected.body !== undefined) assert.equal(String(answer.body), expected.body)
  else assert.equal(`image/${sniff(answer.body)}`, answer.headers['content-type'])
}

describe('the table', () => {
  it('has no row twice', () => {
    assert.equal(new Set(ROWS.map(([name]) => name)).size, ROWS.length)
    assert.ok(ROWS.length >= 60)
  })

  for (const way of ['web', 'node']) {
    describe(way, () => {
      for (const [name, target, { only, ...request }, expected] of ROWS) {
        if (only && only !== way) continue
        it(`${name}: ${expected.status}`, { timeout: 30_000 }, () => check(WAYS[way], target, request, expected))
      }
    })
  }

  it('made no connection to any but the public address', () => {
    assert.deepEqual([...new Set(network.contacted)], [PUBLIC])
    assert.deepEqual(privateServer.hits, [])
    // Asked for once: what was checked is what was connected to.
    assert.equal(rebound, 1)
  })
})

describe('other paths', () => {
  it('a root that is itself a link, and one that is reached through its prefix', async () => {
    const { root: linked } = makeSite()
    const fs = await import('node:fs')
    fs.symlinkSync(linked, `${linked}-link`)
    const prefixed = handlerOf({ roots: { '/static/img': `${linked}-link`, '/': `${linked}/dir` } })
    const statusOf = async url => (await askWeb(prefixed, targetOf(url))).status
    assert.equal(await statusOf('/static/img/small.jpg'), 200)
    assert.equal(await statusOf('/static/img/inner.jpg'), 404)
    assert.equal(await statusOf('/inner.jpg'), 200)
    assert.equal(await statusOf('/small.jpg'), 404)
    assert.equal(await statusOf('/static/imgsmall.jpg'), 404)
    assert.equal(await statusOf('/static/img/../small.jpg'), 404)
    assert.equal(await statusOf('/static/img/out.jpg'), 404)
  })
})
