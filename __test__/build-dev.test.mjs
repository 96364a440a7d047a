// Shows what happens while a project is developed: originals at once, or with `dev: true` optimised images when they are asked
// for; nothing outside of the project by any URL; and watchers that make again what changed and nothing else.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import sharp from 'sharp'
import { BUNDLERS, build, quietly, VITES, viteConfig } from './support/build.mjs'
import { digestOf, encodes } from './support/engine-spy.mjs'
import { makeProject, picture, temporary, write } from './support/project.mjs'
import { eventually, watchBuild } from './support/watch.mjs'

const SECRET_WIDTH = 90

const folders = []
const open = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})
after(() => {
  for (const { remove } of folders) remove()
})

/** A project below a folder in which there is an image that is none of its business. */
async function project(bundler) {
  const folder = temporary(`dev-${bundler}`)
  folders.push(folder)
  const root = join(folder.root, 'app')
  const secret = await picture(999, { width: SECRET_WIDTH })
  write(folder.root, { 'secret.png': secret })
  await makeProject(bundler, root)
  return { root, secret }
}

const read = (root, path) => fs.readFileSync(join(root, path))

async function startServer(bundler, root, options, extra = {}) {
  const config = viteConfig(root, options, { server: { port: 0, host: '127.0.0.1' }, ...extra })
  const server = await VITES[bundler].createServer(config)
  open.push(() => server.close())
  await server.listen()
  const { port } = server.httpServer.address()
  // Unlike `fetch` it sends a path as it is.
  const get = (path, method = 'GET') =>
    new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, path, method, headers: { accept: '*/*' } }, response => {
        const parts = []
        response.on('data', part => parts.push(part))
        response.on('end', () => {
          const { statusCode: status, headers } = response
          resolve({
            status,
            type: headers['content-type'],
            length: headers['content-length'],
            body: Buffer.concat(parts),
          })
        })
      })
      request.on('error', reject).end()
    })
  return { server, get }
}

const PICTURE = '/src/wide.png?picture&w=24;48'
const count = async task => {
  const before = encodes.length
  const result = await task()
  return { result, made: encodes.length - before }
}

/** Paths of a srcset. */
const pathsOf = srcset => srcset.split(', ').map(part => part.split(' ')[0])

for (const bundler of Object.keys(VITES)) {
  describe(`the development server of ${bundler}`, () => {
    it('gives originals at once, also to queries', async () => {
      const { root } = await project(bundler)
      const { server, get } = await startServer(bundler, root, { convert: true })
      const { made } = await count(async () => {
        for (const [url, path] of [
          ['/src/plain.png', 'src/plain.png'],
          ['/copied.png', 'public/copied.png'],
        ]) {
          const { status, type, body } = await get(url)
          assert.deepEqual([status, type, digestOf(body)], [200, 'image/png', digestOf(read(root, path))])
        }
        const { default: wide } = await server.ssrLoadModule(PICTURE)
        const { width, height } = await sharp(read(root, 'src/wide.png')).metadata()
        const img = { src: '/src/wide.png', width, height }
        assert.deepEqual(wide, { sources: [], img, placeholder: null })
        assert.equal((await server.ssrLoadModule('/src/small.png?smallest')).default, '/src/small.png')
        assert.match((await get('/src/main.js')).body.toString(), /\/src\/wide\.png\?import&picture&w=24;48/)
        assert.equal((await get('/src/wide.png?import&picture&w=24;48')).status, 200)
      })
      assert.equal(made, 0)
    })

    it('with `dev: true` optimises an image when it is asked for, once, and again when it changes', async () => {
      const { root } = await project(bundler)
      const { get } = await startServer(bundler, root, { dev: true, convert: true })
      for (const [url, path] of [
        ['/src/photo.jpg', 'src/photo.jpg'],
        ['/copied.png', 'public/copied.png'],
      ]) {
        const first = await count(() => get(url))
        assert.equal(first.made, 1)
        const { status, type, length, body } = first.result
        const { format } = await sharp(body).metadata()
        assert.deepEqual([status, type, Number(length)], [200, `image/${format}`, body.length])
        assert.equal(type, path.endsWith('jpg') ? 'image/jpeg' : 'image/png')
        assert.ok(body.length < read(root, path).length)
        const second = await count(() => get(url))
        assert.deepEqual([second.made, digestOf(second.result.body)], [0, digestOf(body)])
        const head = await get(url, 'HEAD')
        assert.deepEqual([head.status, Number(head.length), head.body.length], [200, body.length, 0])
        write(root, { [path]: await picture(500, { width: 70, format: path.slice(-3) }) })
        const third = await count(() => get(url))
        assert.equal(third.made, 1)
        assert.equal((await sharp(third.result.body).metadata()).width, 70)
      }
    })

    it('with `dev: true` serves the files of queries from memory, below the base', async () => {
      const { root } = await project(bundler)
      const { server, get } = await startServer(bundler, root, { dev: true }, { base: '/base/' })
      const load = async () => (await server.ssrLoadModule(PICTURE)).default
      const first = await count(load)
      assert.equal(first.made, 1)
      const { sources, img, placeholder } = first.result
      assert.match(placeholder, /^data:image\/webp;base64,/)
      const { height } = await sharp(read(root, 'src/wide.png')).resize(48).metadata()
      assert.equal(img.width, 48)
      assert.ok(height > 0 && img.height > 0)
      const files = [...sources, { srcset: img.srcset, type: 'image/jpeg' }]
      assert.ok(files.length >= 2)
      for (const { srcset, type } of files) {
        for (const [index, path] of pathsOf(srcset).entries()) {
          assert.match(path, /^\/base\/@pixrace\//)
          const { result, made } = await count(() => get(path))
          assert.deepEqual([result.status, result.type, made], [200, type, 0])
          assert.equal((await sharp(result.body).metadata()).width, [24, 48][index])
        }
      }
      const { default: small } = await server.ssrLoadModule('/src/small.png?smallest')
      assert.equal((await get(small)).type, 'image/avif')
      write(root, { 'src/wide.png': await picture(501, { width: 80, height: 40 }) })
      const changed = await eventually(async () => {
        const again = await load()
        return again.img.src !== img.src && again
      }, 'the module of the changed image')
      const { body } = await get(changed.img.src)
      const { width, height: newHeight } = await sharp(body).metadata()
      assert.deepEqual([width, newHeight], [48, 24])
    })

    it('with `dev: true` gives a corrupt image as it is', async () => {
      const { root } = await project(bundler)
      const bad = read(root, 'src/plain.png')
      bad[bad.length >> 1] ^= 1
      write(root, { 'src/plain.png': bad, 'src/wide.png': bad, 'public/copied.png': 'no image' })
      const { server, get } = await startServer(bundler, root, { dev: true })
      for (const [url, path] of [
        ['/src/plain.png', 'src/plain.png'],
        ['/copied.png', 'public/copied.png'],
      ]) {
        const { status, type, body } = await get(url)
        assert.deepEqual([status, type, digestOf(body)], [200, 'image/png', digestOf(read(root, path))])
      }
      const { default: wide } = await server.ssrLoadModule(PICTURE)
      assert.equal(wide.sources.length, 0)
      assert.equal(digestOf((await get(wide.img.src)).body), digestOf(bad))
    })

    it('with `dev: true` answers odd URLs as without pixrace and gives nothing from outside', async () => {
      const { root, secret } = await project(bundler)
      const [plain, own] = [
        await startServer(bundler, root, null),
        await startServer(bundler, root, { dev: true, cache: false }),
      ]
      const digests = [digestOf(secret)]
      const paths = [
        ...[
          '/../secret.png',
          '/%2e%2e/secret.png',
          '/..%2fsecret.png',
          '/%2e%2e%2fsecret.png',
          '/src/../../secret.png',
        ],
        ...[
          '/src/..%5c..%5csecret.png',
          '/....//secret.png',
          '//secret.png',
          '//127.0.0.1/src/plain.png?x',
          '/src/%00.png',
        ],
        ...[
          '/src/plain.png%00',
          '/%',
          '/%.png',
          '/%E0%A4%A.png',
          '/src/%zz.png',
          '/@pixrace/',
          '/@pixrace/x/plain.png',
        ],
        ...['/@pixrace/../src/none.png', '/@pixrace/%2e%2e/%2e%2e/secret.png', '/@fs/../secret.png', '/src', '/src/'],
        ...[
          '/none.png',
          '/src/plain.png/',
          `/${'a'.repeat(5000)}.png`,
          '/src/.png',
          '/?x.png',
          '/#.png',
          '/src/plain.png?x=%',
        ],
      ]
      const { text } = await quietly(async () => {
        for (const path of paths) {
          const [before, after] = [await plain.get(path), await own.get(path)]
          assert.equal(after.status, before.status, `${path}: ${after.body.toString().slice(0, 300)}`)
          assert.ok(!digests.includes(digestOf(after.body)), path)
          const width = after.type?.startsWith('image/') ? (await sharp(after.body).metadata()).width : 0
          assert.notEqual(width, SECRET_WIDTH, `${path} gives the image outside`)
        }
      })
      assert.equal((await own.get('/src/plain.png')).status, 200, text())
    })
  })
}

for (const bundler of ['webpack', 'rspack']) {
  describe(`${bundler} in development mode`, () => {
    it('takes originals, and optimised images with `dev: true`', async () => {
      const { root } = await project(bundler)
      const extra = { mode: 'development' }
      const originals = await build(bundler, root, { convert: true }, extra)
      assert.equal(originals.error, null)
      assert.deepEqual(originals.encodes, [])
      const written = Object.values(originals.digests)
      const images = [
        'src/plain.png',
        'src/photo.jpg',
        'src/wide.png',
        'src/small.png',
        'src/css.png',
        'public/copied.png',
      ]
      for (const path of images) assert.ok(written.includes(digestOf(read(root, path))), path)
      const optimised = await build(bundler, root, { dev: true, convert: true }, extra)
      assert.equal(optimised.error, null)
      assert.ok(optimised.encodes.length >= images.length)
      for (const path of images) assert.ok(!Object.values(optimised.digests).includes(digestOf(read(root, path))), path)
    })
  })
}

for (const bundler of BUNDLERS) {
  describe(`a watcher of ${bundler}`, () => {
    it('makes a changed image again, under a new name, and no other; what is gone is not reported', async () => {
      const { root } = await project(bundler)
      const folder = process.cwd()
      process.chdir(root)
      try {
        await quietly(() => watchChanges(bundler, root))
      } finally {
        process.chdir(folder)
      }
    })
  })
}

async function watchChanges(bundler, root) {
  const watcher = await watchBuild(bundler, root, { manifest: true })
  try {
    const outputsOf = (files, source) => JSON.parse(files.get('pixrace.json') ?? '{}').images?.[source]?.outputs ?? []
    const nameOf = (files, source) => outputsOf(files, source)[0]?.fileName
    const first = await watcher.until(({ files }) => nameOf(files, 'src/plain.png'), 'the first build')
    for (const source of bundler === 'rollup' ? ['src/plain.png', 'src/wide.png'] : ['src/plain.png', 'src/css.png']) {
      await watcher.quiet()
      const changed = await picture(source.length + 700, { width: 72 })
      const old = nameOf(first.files, source)
      write(root, { [source]: changed })
      const isNew = ({ files }) => ![undefined, old].includes(nameOf(files, source))
      const { files, encodes: made } = await watcher.until(isNew, `a build with the new ${source}`)
      assert.deepEqual(
        made.map(({ input }) => input),
        [digestOf(changed)],
      )
      const name = nameOf(files, source)
      const texts = [...files].filter(([path]) => /\.(?:js|css)$/.test(path)).map(([, bytes]) => bytes.toString())
      assert.ok(
        texts.some(text => text.includes(name.split('/').at(-1))),
        `nothing names ${name}`,
      )
      if (source === 'src/plain.png') assert.equal((await sharp(files.get(name)).metadata()).width, 72)
    }
    await watcher.quiet()
    const main = read(root, 'src/main.js').toString()
    write(root, { 'src/main.js': main.replace(/import small.*\n/, '').replace(' small,', '') })
    const isGone = ({ files }) => files.has('pixrace.json') && outputsOf(files, 'src/small.png').length === 0
    const { encodes: made } = await watcher.until(isGone, 'a manifest without the image that is not used any more')
    assert.deepEqual(made, [])
  } finally {
    await watcher.close()
  }
}
