// pixrace/next without Next: what it makes of a configuration, the names of its loader, and what its adapter writes.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { withPixrace } from '../esm/next.js'
import adapter from '../esm/next-adapter.js'
import load from '../esm/next-loader.js'
import { createNextImageHandler } from '../esm/next-route.js'
import { fixture } from './support/fixtures.mjs'
import { typeOf } from './support/site-browser.mjs'

const home = process.cwd()
let dir

before(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pixrace-next-options-')))
  process.chdir(dir)
})

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('PIXRACE_')) delete process.env[name]
})

after(() => {
  process.chdir(home)
  fs.rmSync(dir, { recursive: true, force: true })
})

describe('withPixrace', () => {
  it('keeps what the configuration has', () => {
    const given = {
      env: { MINE: '1' },
      images: { qualities: [50] },
      serverExternalPackages: ['a'],
      reactStrictMode: true,
    }
    const made = withPixrace(given)
    assert.equal(made.env.MINE, '1')
    assert.deepEqual(made.images.qualities, [50])
    assert.deepEqual(made.serverExternalPackages, ['a', 'pixrace'])
    assert.equal(made.reactStrictMode, true)
    assert.equal('adapterPath' in made, false)
  })

  it('takes a function, asynchronous ones too, and gives it phase and context', async () => {
    const made = withPixrace(async (phase, { defaultConfig }) => ({ output: 'export', env: { phase, defaultConfig } }))
    const { env, adapterPath } = await made('phase-production-build', { defaultConfig: 'd' })
    assert.deepEqual([env.phase, env.defaultConfig], ['phase-production-build', 'd'])
    assert.ok(fs.existsSync(adapterPath))
  })

  it('writes the loader into the project, by a path from there', () => {
    const { loaderFile } = withPixrace({}).images
    assert.equal(loaderFile, 'node_modules/.cache/pixrace-next/next-loader.mjs')
    assert.match(fs.readFileSync(join(dir, loaderFile), 'utf8'), /export default function/)
  })

  it('where nothing may be written, it names a loader all the same', () => {
    const place = fs.mkdtempSync(join(dir, 'closed-'))
    fs.writeFileSync(join(place, 'node_modules'), 'A file, in which no folder can be made, whoever asks.')
    process.chdir(place)
    try {
      assert.ok(fs.existsSync(join(place, withPixrace({}).images.loaderFile)))
    } finally {
      process.chdir(dir)
    }
  })

  for (const [option, value] of [
    ['path', 'pixrace'],
    ['path', '/pixrace/'],
    ['path', 7],
    ['exportFormat', 'jpeg'],
    ['quality', 80],
  ]) {
    it(`refuses ${option}: ${JSON.stringify(value)}, for a function at once too`, () => {
      const expected = { code: 'ERR_PIXRACE_INVALID_OPTION', option, received: value }
      assert.throws(() => withPixrace({}, { [option]: value }), expected)
      assert.throws(() => withPixrace(() => ({}), { [option]: value }), expected)
    })
  }
})

/** The loader in an application of this configuration, as Next replaces its variables. */
function loaded(props, config = {}, options = {}) {
  Object.assign(process.env, withPixrace(config, options).env)
  return load({ width: 640, ...props })
}

describe('the loader', () => {
  it('names the route, below basePath, with the slash that Next would redirect to', () => {
    assert.equal(loaded({ src: '/a b.jpg' }), '/pixrace?url=%2Fa%20b.jpg&w=640&q=75')
    assert.equal(
      loaded({ src: '/a.jpg' }, { basePath: '/docs' }, { path: '/img/x' }),
      '/docs/img/x?url=%2Fa.jpg&w=640&q=75',
    )
    assert.equal(loaded({ src: '/a.jpg' }, { trailingSlash: true }), '/pixrace/?url=%2Fa.jpg&w=640&q=75')
  })

  it('takes the nearest of the qualities', () => {
    const images = { qualities: [30, 60, 90] }
    for (const [quality, taken] of [
      [1, 30],
      [50, 60],
      [76, 90],
      [undefined, 60],
    ]) {
      assert.match(loaded({ src: '/a.jpg', quality }, { images }), new RegExp(`&q=${taken}$`))
    }
  })

  for (const src of ['/mark.svg', '/mark.svg?dpl=1']) {
    it(`leaves ${src} as it is`, () => {
      assert.equal(loaded({ src }), src)
      assert.equal(loaded({ src }, { output: 'export' }), src)
    })
  }

  for (const [src, name] of [
    ['/a.jpg', '/_pixrace/a.jpg'],
    ['/a.jpg?dpl=1#x', '/_pixrace/a.jpg'],
    ["/a (1), b & c's.jpg", '/_pixrace/a%20%281%29%2C%20b%20%26%20c%27s.jpg'],
    ['/a%20b.jpg', '/_pixrace/a%20b.jpg'],
    ['/100%.jpg', '/_pixrace/100%25.jpg'],
    ['/ä.jpg', '/_pixrace/%C3%A4.jpg'],
  ]) {
    it(`in an export ${src} has a name that HTML, srcset and JSON hold as it is`, () => {
      const config = { output: 'export' }
      assert.equal(loaded({ src, quality: 75 }, config), `${name}/640-75.avif`)
    })
  }

  it('in an export what is elsewhere stays there', () => {
    for (const src of ['https://example.com/a.jpg', '//example.com/a.jpg']) {
      assert.equal(loaded({ src }, { output: 'export', basePath: '/docs' }), src)
    }
  })
})

/** An export with files and one page, finished by the adapter. */
async function exported(files, names, config = {}) {
  const projectDir = fs.mkdtempSync(join(dir, 'export-'))
  const out = join(projectDir, config.distDir ?? 'out')
  fs.mkdirSync(out)
  for (const [name, bytes] of Object.entries(files)) fs.writeFileSync(join(out, name), bytes)
  fs.writeFileSync(join(out, 'index.html'), names.map(name => `<img src="${name}">`).join('\n'))
  const finish = () => adapter.onBuildComplete({ projectDir, config: { output: 'export', ...config } })
  const read = name => fs.readFileSync(join(out, '_pixrace', name))
  return { out, finish, read }
}

describe('the adapter', () => {
  it('writes files under the names that servers decode', async () => {
    const name = "a (1), b & c's.jpg"
    const address = loaded({ src: `/${name}` }, { output: 'export' })
    const { finish, read } = await exported({ [name]: fixture('photo.jpg') }, [address])
    await finish()
    assert.equal(typeOf(read(`${name}/640-75.avif`)), 'image/avif')
  })

  it('follows distDir', async () => {
    const { finish, read } = await exported({ 'a.jpg': fixture('photo.jpg') }, ['/_pixrace/a.jpg/32-60.webp'], {
      distDir: 'site',
    })
    await finish()
    assert.equal(typeOf(read('a.jpg/32-60.webp')), 'image/webp')
  })

  it('an animated PNG stays one, and a damaged image what it is', async () => {
    const files = { 'a.png': fixture('animated.png'), 'b.jpg': fixture('photo.jpg').subarray(0, 40) }
    const { finish, read } = await exported(files, ['/_pixrace/a.png/16-75.avif', '/_pixrace/b.jpg/16-75.avif'])
    await finish()
    assert.deepEqual(read('a.png/16-75.avif'), files['a.png'])
    assert.deepEqual(read('b.jpg/16-75.avif'), files['b.jpg'])
  })

  it('an image that is not there fails the build, by name', async () => {
    const { finish, read } = await exported({ 'a.jpg': fixture('photo.jpg') }, [
      '/_pixrace/none.jpg/640-75.avif',
      '/_pixrace/none.jpg/750-75.avif',
      '/_pixrace/a.jpg/16-75.avif',
    ])
    await assert.rejects(finish(), { code: 'ERR_PIXRACE_BUILD', message: /not in the export: \/none\.jpg\. / })
    assert.ok(read('a.jpg/16-75.avif').length > 0)
  })

  it('nothing outside of the export is read or written, and what is no name is passed over', async () => {
    const { finish, out } = await exported({}, ['/_pixrace/../secret.jpg/640-75.avif', '/_pixrace/%/640-75.avif'])
    fs.writeFileSync(join(out, '../secret.jpg'), fixture('photo.jpg'))
    await finish()
    assert.deepEqual(fs.readdirSync(out), ['index.html'])
  })

  it('does nothing in a build for a server', async () => {
    const { finish, out } = await exported({ 'a.jpg': fixture('photo.jpg') }, ['/_pixrace/a.jpg/16-75.avif'], {
      output: undefined,
    })
    await finish()
    assert.equal(fs.existsSync(join(out, '_pixrace')), false)
  })
})

describe('createNextImageHandler', () => {
  const images = { deviceSizes: [500], imageSizes: [20], qualities: [40], domains: ['old.example'], remotePatterns: [] }
  const config = { basePath: '/docs', images: { ...images, minimumCacheTTL: 60, dangerouslyAllowLocalIP: false } }

  async function status(options, query) {
    const handler = createNextImageHandler({ cache: false, ...options })
    const { status } = await handler(new Request(`http://localhost/docs/pixrace?${query}`))
    await handler.close()
    return status
  }

  before(() => {
    fs.mkdirSync(join(dir, 'build/static/media'), { recursive: true })
    fs.writeFileSync(join(dir, 'build/required-server-files.json'), JSON.stringify({ config }))
    fs.writeFileSync(join(dir, 'build/static/media/a.jpg'), fixture('photo.jpg'))
  })

  it('holds to what the build noted, in the folder that it was built into', async () => {
    withPixrace({ distDir: 'build' })
    const url = `url=${encodeURIComponent('/docs/_next/static/media/a.jpg')}`
    assert.equal(await status({}, `${url}&w=500&q=40`), 200)
    assert.equal(await status({}, `${url}&w=20`), 200)
    assert.equal(await status({}, `${url}&w=640&q=40`), 400)
    assert.equal(await status({}, `${url}&w=500&q=75`), 400)
  })

  /** Of local URLs, with these patterns in the configuration that the build noted. */
  async function statuses(localPatterns, urls) {
    withPixrace({ distDir: 'build' })
    const noted = join(dir, 'build/required-server-files.json')
    const before = fs.readFileSync(noted)
    fs.writeFileSync(noted, JSON.stringify({ config: { ...config, images: { ...config.images, localPatterns } } }))
    try {
      return await Promise.all(urls.map(url => status({}, `url=${encodeURIComponent(url)}&w=20`)))
    } finally {
      fs.writeFileSync(noted, before)
    }
  }

  it('images.localPatterns say which paths and queries may be asked for, with and without basePath', async () => {
    const media = { pathname: '/_next/static/media/**', search: '' }
    const [image, query] = ['', '?v=1'].map(end => `/docs/_next/static/media/a.jpg${end}`)
    assert.deepEqual(await statuses([media], [image, query, '/docs/b.jpg', '/b.jpg']), [200, 400, 400, 400])
    assert.deepEqual(await statuses([{ pathname: '/assets/**' }], [image]), [400])
    const paths = ['/docs/assets/b.jpg', '/assets/b.jpg', '/%61ssets/b.jpg', '/assets/../b.jpg', '/other/assets/b.jpg']
    assert.deepEqual(await statuses([{ pathname: '/assets/**' }], paths), [404, 404, 404, 404, 400])
  })

  it("with Next's default all paths may be, and a query is no matter", async () => {
    const urls = ['', '?v=1'].map(end => `/docs/_next/static/media/a.jpg${end}`)
    assert.deepEqual(await statuses([{ pathname: '**', search: '' }], urls), [200, 200])
  })

  it('its own options win', async () => {
    withPixrace({ distDir: 'build' })
    const url = `url=${encodeURIComponent('/docs/_next/static/media/a.jpg')}`
    assert.equal(await status({ widths: [640] }, `${url}&w=640&q=40`), 200)
  })

  it('an application that runs without its next.config.js finds its folder', async () => {
    process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify({ distDir: './build' })
    try {
      assert.equal(await status({}, `url=${encodeURIComponent('/docs/_next/static/media/a.jpg')}&w=20&q=40`), 200)
    } finally {
      delete process.env.__NEXT_PRIVATE_STANDALONE_CONFIG
    }
  })
})
