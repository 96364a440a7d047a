// Shows that images from other servers are fetched safely: nothing of the client goes along, every redirect is checked like
// the first URL, what was checked is what is connected to, size and time are bounded while a body comes in, the upstream's
// max-age is honoured, and no two URLs share an image.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import sharp from 'sharp'
import { growth } from './support/growth.mjs'
import { askNode, askWeb, handlerOf, makeSite, serve, targetOf } from './support/image-server.mjs'
import { fakeNetwork, startUpstream } from './support/upstream.mjs'

const { root } = makeSite()
const upstream = await startUpstream({
  '/cookie': (_, response) => {
    const headers = { 'set-cookie': 'id=upstream', 'x-upstream': 'yes', etag: '"upstream"', vary: 'Cookie' }
    response.writeHead(200, headers)
    sharp({ create: { width: 16, height: 16, channels: 3, background: '#123456' } })
      .png()
      .toBuffer()
      .then(bytes => response.end(bytes))
  },
  // A picture whose colour tells the URL.
  '/told': async (_, response, { url, headers }) => {
    const hash = createHash('sha256').update(`${headers.host}${url}`).digest('hex')
    const create = { width: 16, height: 16, channels: 3, background: `#${hash.slice(0, 6)}` }
    response.end(await sharp({ create }).png().toBuffer())
  },
})
const handlerWith = options =>
  handlerOf({ roots: root, remotePatterns: [{ hostname: '**' }], allowPrivateNetwork: true, ...options })
const open = handlerWith()
const ask = (handler, path, request) => askWeb(handler, targetOf(`${upstream.base}${path}`), request)

/** Runs with a network of its own, in which 1.1.1.x are servers of this machine. */
async function inNetwork(ports, run) {
  const network = fakeNetwork(ports)
  try {
    return await run(network)
  } finally {
    network.restore()
  }
}

describe('what goes to the upstream and what comes from it', () => {
  const PRIVATE_HEADERS = {
    ...{ cookie: 'id=client', authorization: 'Basic c2VjcmV0', 'proxy-authorization': 'Basic c2VjcmV0' },
    ...{
      referer: 'http://site.test/secret',
      origin: 'http://site.test',
      'x-forwarded-for': '1.2.3.4',
      'x-api-key': 'k',
    },
    ...{ 'accept-language': 'de', 'user-agent': 'client', range: 'bytes=0-1', 'if-none-match': '"x"' },
  }
  const sent = port => [
    'accept',
    'image/*',
    'user-agent',
    'pixrace',
    'accept-encoding',
    'identity',
    'Host',
    `127.0.0.1:${port}`,
    'Connection',
    'close',
  ]

  it('nothing of the client is sent, to the first server and behind a redirect', async () => {
    const other = await startUpstream()
    const server = await serve(handlerWith())
    upstream.hits.length = 0
    const target = targetOf(`${upstream.base}/to/${encodeURIComponent(`${other.base}/ok.jpg`)}`)
    const { status } = await askNode(server, target, { headers: PRIVATE_HEADERS })
    assert.equal(status, 200)
    assert.deepEqual(
      upstream.hits.map(({ rawHeaders }) => rawHeaders),
      [sent(upstream.port)],
    )
    assert.deepEqual(
      other.hits.map(({ rawHeaders }) => rawHeaders),
      [sent(other.port)],
    )
  })

  it('no header of the upstream is passed on', async () => {
    const { status, headers } = await ask(open, '/cookie')
    assert.equal(status, 200)
    assert.deepEqual([headers['set-cookie'], headers['x-upstream'], headers.vary], [undefined, undefined, 'Accept'])
    assert.notEqual(headers.etag, '"upstream"')
  })

  it('no word of an upstream that fails is passed on', async () => {
    const { body } = await ask(open, '/error')
    assert.equal(String(body), 'The image cannot be fetched.\n')
  })

  const AGES = {
    'max-age=100000': 100_000,
    'public, max-age="100000"': 100_000,
    'max-age=50000, s-maxage=60000': 60_000,
    'S-MAXAGE=70000,max-age=1': 70_000,
    'max-age=0': 14_400,
    'max-age=20': 14_400,
    'no-store': 14_400,
    'x-max-age=100000': 14_400,
    'max-age=-1': 14_400,
    'max-age=many': 14_400,
    'max-age=99999999999999999999': 31_536_000,
    [`max-age=${'9'.repeat(400)}`]: 31_536_000,
  }
  for (const [given, expected] of Object.entries(AGES)) {
    it(`Cache-Control: ${given.slice(0, 40)} keeps an image for ${expected} s`, async () => {
      const { headers } = await ask(open, `/age/${encodeURIComponent(given)}`)
      assert.equal(headers['cache-control'], `public, max-age=${expected}, must-revalidate`)
    })
  }

  it('an image is fetched once as long as it is fresh, for all its widths', async () => {
    const handler = handlerWith({ cache: false })
    upstream.hits.length = 0
    for (const more of ['', '&v=1', '&v=2']) {
      await askWeb(handler, targetOf(`${upstream.base}/ok.jpg`, 16, more))
    }
    assert.equal(upstream.hits.length, 1)
  })
})

describe('redirects', () => {
  it('three are followed, a fourth is not asked for', async () => {
    upstream.hits.length = 0
    assert.equal((await ask(open, '/hops/3')).status, 200)
    assert.deepEqual(
      upstream.hits.map(({ url }) => url),
      ['/hops/3', '/hops/2', '/hops/1', '/hops/0'],
    )
    upstream.hits.length = 0
    assert.equal((await ask(open, '/hops/4')).status, 508)
    assert.deepEqual(
      upstream.hits.map(({ url }) => url),
      ['/hops/4', '/hops/3', '/hops/2', '/hops/1'],
    )
    assert.equal((await ask(open, '/loop')).status, 508)
  })

  it('none leads to a server that no pattern allows, by host, port, path or protocol', async () => {
    const other = await startUpstream()
    const handler = handlerWith({
      remotePatterns: [{ protocol: 'http', hostname: '127.0.0.1', port: String(upstream.port), pathname: '/to/**' }],
    })
    const locations = [
      `${other.base}/ok.jpg`,
      '/ok.jpg',
      `http://localhost:${upstream.port}/to/x`,
      `https://127.0.0.1:${upstream.port}/to/x`,
    ]
    for (const location of locations) {
      upstream.hits.length = 0
      assert.equal((await ask(handler, `/to/${encodeURIComponent(location)}`)).status, 400, location)
      assert.equal(upstream.hits.length, 1)
    }
    assert.deepEqual(other.hits, [])
  })

  it('none leads from a public to a private address, by number, name or a second redirect', async () => {
    const inside = await startUpstream()
    const names = { 'public.test': ['1.1.1.1'], 'inside.test': ['10.0.0.1'], 'both.test': ['1.1.1.1', '10.0.0.1'] }
    const handler = handlerWith({ allowPrivateNetwork: false, resolver: async name => names[name] })
    const locations = [
      'http://10.0.0.1/ok.jpg',
      'http://inside.test/ok.jpg',
      'http://both.test/ok.jpg',
      'http://0xa.1/ok.jpg',
      '//[::ffff:10.0.0.1]/ok.jpg',
    ]
    locations.push(...locations.map(location => `/to/${encodeURIComponent(location)}`))
    await inNetwork({ '1.1.1.1': upstream.port, '10.0.0.1': inside.port }, async network => {
      for (const location of locations) {
        const target = targetOf(`http://public.test/to/${encodeURIComponent(location)}`)
        assert.equal((await askWeb(handler, target)).status, 400, location)
      }
      assert.deepEqual([...new Set(network.contacted)], ['1.1.1.1'])
    })
    assert.deepEqual(inside.hits, [])
  })
})

describe('addresses', () => {
  it('a name that turns private behind the check leads nowhere: one answer is checked and used', async () => {
    const inside = await startUpstream()
    let asked = 0
    const resolver = async () => (asked++ === 0 ? ['1.1.1.1'] : ['10.0.0.1'])
    const handler = handlerWith({ allowPrivateNetwork: false, resolver })
    await inNetwork({ '1.1.1.1': upstream.port, '10.0.0.1': inside.port }, async network => {
      assert.equal((await askWeb(handler, targetOf('http://rebinding.test/ok.jpg'))).status, 200)
      assert.equal(asked, 1)
      assert.equal((await askWeb(handler, targetOf('http://rebinding.test/lie.png'))).status, 400)
      assert.deepEqual([asked, network.contacted], [2, ['1.1.1.1']])
    })
    assert.deepEqual(inside.hits, [])
  })

  it('private names reach no server of this machine without allowPrivateNetwork, by the system resolver', async () => {
    const handler = handlerWith({ allowPrivateNetwork: false })
    upstream.hits.length = 0
    for (const host of ['localhost', '127.0.0.1', '127.1', '[::1]', '[::ffff:127.0.0.1]', '0']) {
      const { status } = await askWeb(handler, targetOf(`http://${host}:${upstream.port}/ok.jpg`))
      assert.equal(status, 400, host)
    }
    assert.deepEqual(upstream.hits, [])
  })

  it('a refusal does not wait for a turn', async () => {
    const handler = handlerWith({ concurrency: 1, maxQueue: 0, allowPrivateNetwork: true, fetchTimeoutMs: 500 })
    const slow = ask(handler, '/silent')
    await sleep(50)
    assert.equal((await ask(handler, '/ok.jpg')).status, 503)
    assert.equal((await askWeb(handler, targetOf('http://a:b@127.0.0.1/'))).status, 400)
    assert.equal((await slow).status, 504)
  })

  const RESOLVERS = [
    ['throws', () => assert.fail('no'), 502],
    ['rejects with nothing', () => Promise.reject(), 502],
    ['gives nothing', async () => undefined, 502],
    ['gives no list', async () => '127.0.0.1', 502],
    ['gives a name', async () => ['localhost'], 502],
    ['gives an empty list', async () => [], 502],
    ['answers at once', () => ['127.0.0.1'], 200],
    ['never answers', () => new Promise(() => {}), 504],
  ]
  for (const [what, resolver, expected] of RESOLVERS) {
    it(`a resolver that ${what}: ${expected}`, async () => {
      const handler = handlerWith({ resolver, fetchTimeoutMs: 1500 })
      const { status } = await askWeb(handler, targetOf(`http://name.test:${upstream.port}/ok.jpg`))
      assert.equal(status, expected)
    })
  }

  it('the checked addresses are used whatever the default of the process for choosing a family is', async () => {
    const before = net.getDefaultAutoSelectFamily()
    net.setDefaultAutoSelectFamily(false)
    try {
      const handler = handlerWith({ resolver: async () => ['127.0.0.1'] })
      assert.equal((await askWeb(handler, targetOf(`http://name.test:${upstream.port}/ok.jpg`))).status, 200)
    } finally {
      net.setDefaultAutoSelectFamily(before)
    }
  })
})

describe('bounds', () => {
  it('a body of 100 MB is stopped at the limit, with and without a length, and takes no memory', async () => {
    const handler = handlerWith({ maxSourceBytes: 1_000_000 })
    const samples = []
    for (let round = 0; round < 12; round++) {
      upstream.sent = 0
      assert.equal((await ask(handler, `/flood?${round}`)).status, 413)
      // What the kernel keeps for both ends of the connection comes on top of the limit.
      assert.ok(upstream.sent < 20_000_000, `${upstream.sent} bytes sent`)
      assert.equal((await ask(handler, `/flood-said?${round}`)).status, 413)
      samples.push(process.memoryUsage().rss / 1024 ** 2)
    }
    // By its length a body is refused long before the limit.
    upstream.sent = 0
    assert.equal((await ask(open, '/flood-said')).status, 413)
    assert.ok(upstream.sent < 20_000_000, `${upstream.sent} bytes sent`)
    // Kept, the bodies would be 1 MB each, unbounded 100 MB.
    const grown = growth(samples, 3)
    assert.ok(grown < 30, `${grown} MiB in ${samples.map(Math.round)}`)
  })

  it('a body of one byte in 200 ms ends in time, although memory is cleaned up in between', async () => {
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc')
    const cleaning = setInterval(collect, 50)
    const handler = handlerWith({ fetchTimeoutMs: 600 })
    const started = performance.now()
    const { status } = await ask(handler, '/drip')
    clearInterval(cleaning)
    assert.equal(status, 504)
    const elapsed = performance.now() - started
    assert.ok(elapsed >= 590 && elapsed < 5000, `${elapsed} ms`)
  })

  it('the time counts for all redirects together', async () => {
    const slow = await startUpstream({
      '/slow': (_, response) => setTimeout(() => response.writeHead(302, { location: '/slow' }).end(), 250),
    })
    const handler = handlerWith({ fetchTimeoutMs: 600 })
    assert.equal((await askWeb(handler, targetOf(`${slow.base}/slow`))).status, 504)
  })

  it('a client that hangs up closes the connection to the upstream', async () => {
    let closed
    const slow = await startUpstream({
      '/wait': (_, response) => {
        closed = once(response, 'close')
      },
    })
    const controller = new AbortController()
    const answer = askWeb(handlerWith(), targetOf(`${slow.base}/wait`), { signal: controller.signal })
    while (slow.hits.length === 0) await sleep(5)
    controller.abort()
    await assert.rejects(answer, { name: 'AbortError' })
    await closed
  })

  it('no header and no URL takes long to read', async () => {
    const long = 300_000
    const headers = [
      { accept: `image/${'*'.repeat(long)}` },
      { accept: ';q='.repeat(long) },
      { accept: `${' '.repeat(long)}x` },
      { 'if-none-match': `W/${'"W/'.repeat(long)}` },
      { 'if-none-match': `"${' '.repeat(long)},` },
      { 'if-none-match': ','.repeat(long) },
    ]
    const patterned = handlerWith({ remotePatterns: [{ hostname: '**.a.**.b.**', pathname: '/**/a/**/b' }] })
    await askWeb(open, targetOf('/small.jpg'))
    const started = performance.now()
    for (const one of headers) await askWeb(open, targetOf('/small.jpg'), { headers: one })
    for (const url of [
      `http://${'a.'.repeat(120)}c/${'/a'.repeat(1300)}`,
      `/${'?'.repeat(3000)}\n`,
      '/%'.repeat(1500),
    ]) {
      assert.ok((await askWeb(patterned, targetOf(url))).status >= 400)
    }
    assert.ok(performance.now() - started < 3000)
  })
})

describe('one image for one URL', () => {
  it('URLs that differ share nothing, however alike they are', async () => {
    const paths = [
      ...['/told/a', '/told/A', '/told/a/', '/told/a?x', '/told/a?x=', '/told/a?X', '/told/a%2Fb', '/told/a/b'],
      ...['/told/%61', '/told/a%20', '/told/a+', '/told/a%2B', '/told/a?x=1&y=2', '/told/a?y=2&x=1', '/told/a%3Fx'],
      ...[
        '/told/a;x',
        '/told//a',
        '/told/a%00',
        '/told/%2e%2e%2fa',
        '/told/é',
        '/told/e%CC%81',
        '/told/a"',
        '/told/["a",16]',
      ],
    ]
    upstream.hits.length = 0
    const tags = new Map()
    for (const path of paths) {
      const { status, headers } = await ask(open, path)
      assert.equal(status, 200, path)
      assert.ok(!tags.has(headers.etag), `${path} and ${tags.get(headers.etag)}`)
      tags.set(headers.etag, path)
    }
    assert.equal(upstream.hits.length, paths.length)
    // In memory now, and still apart.
    for (const [tag, path] of tags) assert.equal((await ask(open, path)).headers.etag, tag)
    const asHost = await askWeb(open, targetOf(`http://localhost:${upstream.port}/told/a`))
    assert.ok(!tags.has(asHost.headers.etag))
  })

  it('a fragment, default ports and capitals of the host make no other URL', async () => {
    const handler = handlerWith()
    upstream.hits.length = 0
    for (const url of [
      `${upstream.base}/ok.jpg#a`,
      `HTTP://127.0.0.1:${upstream.port}/ok.jpg`,
      ` ${upstream.base}/x/../ok.jpg`,
    ]) {
      assert.equal((await askWeb(handler, targetOf(url))).status, 200)
    }
    assert.equal(upstream.hits.length, 1)
  })

  it('cookies and authorisation make no other image and are in no key', async () => {
    const handler = handlerWith()
    upstream.hits.length = 0
    const first = await ask(handler, '/cookie', { headers: { cookie: 'id=1', authorization: 'Bearer a' } })
    const second = await ask(handler, '/cookie', { headers: { cookie: 'id=2' } })
    assert.deepEqual(second.body, first.body)
    assert.equal(upstream.hits.length, 1)
  })
})
