// Shows that a build which has been made before asks nothing of the engine and gives the same files, in every bundler; that
// exactly what changed is made again; and that neither damage, nor company, nor a bundler's own cache makes a build wrong.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { BUNDLERS, build, quietly, VITES, viteConfig } from './support/build.mjs'
import { startChild } from './support/child.mjs'
import { digestOf, encodes, pretend } from './support/engine-spy.mjs'
import { makeProject, picture, temporary, withComment, write } from './support/project.mjs'

const folders = []
afterEach(() => {
  pretend.version = null
})
after(() => {
  for (const { remove } of folders) remove()
})

/** A project of its own, with its images. */
async function project(bundler) {
  const folder = temporary(`cache-${bundler}`)
  folders.push(folder)
  return { root: folder.root, ...(await makeProject(bundler, folder.root)) }
}

const cacheFolder = root => join(root, 'node_modules/.cache/pixrace')
const entriesOf = root =>
  fs
    .readdirSync(cacheFolder(root), { recursive: true })
    .map(name => join(cacheFolder(root), name))
    .filter(path => fs.statSync(path).isFile())

/** Builds, and checks that the build succeeded. */
async function built(...args) {
  const result = await build(...args)
  assert.equal(result.error, null)
  return result
}

const inputs = ({ encodes }) => encodes.map(({ input }) => input).sort()

for (const bundler of BUNDLERS) {
  describe(`a build with ${bundler}`, () => {
    it('encodes nothing the second time and gives the same files; dates do not count', async () => {
      const { root, images } = await project(bundler)
      const first = await built(bundler, root)
      assert.equal(first.encodes.length, images.length)
      assert.ok(first.files.size >= images.length)
      const second = await built(bundler, root)
      assert.deepEqual(second.encodes, [])
      assert.deepEqual(second.digests, first.digests)
      const soon = Date.now() / 1000 + 3600
      for (const image of images) fs.utimesSync(join(root, image), soon, soon)
      const third = await built(bundler, root)
      assert.deepEqual(third.encodes, [])
      assert.deepEqual(third.digests, first.digests)
    })

    it('makes exactly that image again of which a byte changed', async () => {
      const { root } = await project(bundler)
      const first = await built(bundler, root)
      const photo = join(root, 'src/photo.jpg')
      const changed = fs.readFileSync(photo)
      changed[changed.indexOf('one', 0, 'latin1')] ^= 1
      fs.writeFileSync(photo, changed)
      const second = await built(bundler, root)
      assert.deepEqual(inputs(second), [digestOf(changed)])
      // The comment is no part of the picture. Vite names scripts by the bytes that images had in the beginning.
      const images = ({ files }) => [...files.keys()].filter(name => !/\.(?:js|html)$/.test(name))
      assert.deepEqual(images(second), images(first))
      fs.writeFileSync(photo, withComment(await picture(200, { format: 'jpg' }), 'two'))
      const third = await built(bundler, root)
      assert.deepEqual(inputs(third), [digestOf(fs.readFileSync(photo))])
      const names = result => Object.keys(result.digests).filter(name => /photo.*\.jpg$/.test(name))
      assert.equal(names(third).length, 1)
      assert.notDeepEqual(names(third), names(first))
    })

    it('makes every image again with another option or another engine, and those that may change with `convert`', async () => {
      const { root } = await project(bundler)
      const first = await built(bundler, root)
      const all = inputs(first)
      assert.deepEqual(inputs(await built(bundler, root, { minScore: 60 })), all)
      pretend.version = '99.0.0'
      assert.deepEqual(inputs(await built(bundler, root)), all)
      pretend.version = null
      const converted = await built(bundler, root, { convert: true })
      // Those with a query have all formats already, and what is copied keeps its own.
      const fixed = ['src/wide.png', 'src/small.png', 'public/copied.png'].map(name => join(root, name))
      const kept = fixed.filter(fs.existsSync).map(path => digestOf(fs.readFileSync(path)))
      // webpack tries all formats for an icon too, before it knows what it is for.
      if (bundler.startsWith('vite')) kept.push(digestOf(fs.readFileSync(join(root, 'src/icon.png'))))
      const free = all.filter(input => !kept.includes(input))
      assert.deepEqual(inputs(converted), free)
      const back = await built(bundler, root)
      assert.deepEqual(back.encodes, [])
      assert.deepEqual(back.digests, first.digests)
    })

    it('notices an entry with a flipped byte and one that breaks off, and makes those images again', async () => {
      const { root, images } = await project(bundler)
      const first = await built(bundler, root)
      const entries = entriesOf(root)
      assert.equal(entries.length, images.length)
      const [flipped, cut] = entries
      const bytes = fs.readFileSync(flipped)
      bytes[bytes.length >> 1] ^= 4
      fs.writeFileSync(flipped, bytes)
      fs.truncateSync(cut, fs.statSync(cut).size >> 1)
      const second = await built(bundler, root)
      assert.equal(second.encodes.length, 2)
      assert.deepEqual(second.digests, first.digests)
      assert.deepEqual((await built(bundler, root)).encodes, [])
    })
  })
}

describe('several environments of one build', () => {
  for (const bundler of Object.keys(VITES)) {
    it(`share the cache: ${bundler}`, async () => {
      const { root, images } = await project(bundler)
      const ssr = { outDir: 'dist-ssr', ssr: true, rollupOptions: { input: join(root, 'src/main.js') } }
      const made = []
      for (const sharedConfigBuild of [false, true, true]) {
        const before = encodes.length
        await quietly(async () => {
          const environments = { client: {}, ssr: { build: ssr } }
          const config = { ...viteConfig(root, { report: false }), builder: { sharedConfigBuild }, environments }
          await (await VITES[bundler].createBuilder(config)).buildApp()
        })
        made.push(encodes.length - before)
      }
      assert.deepEqual(made, [images.length, 0, 0])
    })
  }
})

/** A build in a process of its own. */
async function apart(...args) {
  const { code, errors, messages } = await startChild('build-child.mjs', { args: [JSON.stringify(args)] }).ended
  assert.equal(code, 0, `${errors}${messages[0]?.error}`)
  return messages[0]
}

describe('two builds at once on one cache', () => {
  for (const bundler of ['vite', 'webpack']) {
    it(`both succeed with the same files, by ${bundler}`, async () => {
      const { root, images } = await project(bundler)
      const outDirs = ['one', 'other']
      const [one, other] = await Promise.all(outDirs.map(outDir => apart(bundler, root, {}, { outDir })))
      assert.ok(Object.keys(one.digests).length >= images.length)
      assert.deepEqual(one.digests, other.digests)
      assert.ok(entriesOf(root).every(path => /^[0-9a-f]{64}$/.test(path.slice(-64))))
      const after = await built(bundler, root)
      assert.deepEqual(after.encodes, [])
      assert.deepEqual(after.digests, one.digests)
    })
  }
})

const BUNDLER_CACHES = {
  webpack: root => ({ type: 'filesystem', cacheDirectory: join(root, 'bundler-cache') }),
  rspack: root => ({ type: 'persistent', storage: { type: 'filesystem', directory: join(root, 'bundler-cache') } }),
}

describe("the bundler's own cache on disk", () => {
  for (const [bundler, settingsOf] of Object.entries(BUNDLER_CACHES)) {
    it(`gives the same files when warm, with every extension right, and hides no option: ${bundler}`, async () => {
      const { root } = await project(bundler)
      const cache = settingsOf(root)
      for (const options of [{}, { convert: true }, { convert: true, fileName: 'own/[name].[hash].[ext]' }]) {
        const alone = await apart(bundler, root, { ...options, cache: false })
        const cold = await apart(bundler, root, options, { cache })
        assert.deepEqual(cold.digests, alone.digests)
        const warm = await apart(bundler, root, options, { cache })
        assert.deepEqual(warm.digests, alone.digests)
        assert.deepEqual(warm.encodes, [])
      }
      assert.ok(fs.readdirSync(join(root, 'bundler-cache'), { recursive: true }).length > 1, 'the cache is not used')
    })

    it(`follows an image that changes: ${bundler}`, async () => {
      const { root } = await project(bundler)
      const cache = settingsOf(root)
      const first = await apart(bundler, root, { convert: true }, { cache })
      write(root, { 'src/css.png': await picture(300), 'src/wide.png': await picture(301) })
      const second = await apart(bundler, root, { convert: true }, { cache })
      const fresh = await apart(bundler, root, { convert: true, cache: false })
      assert.deepEqual(second.digests, fresh.digests)
      assert.notDeepEqual(second.digests, first.digests)
      assert.equal(second.encodes.length, 2)
    })
  }
})

const hasRedis = spawnSync('redis-server', ['--version']).status === 0

describe('a cache in Redis', { skip: !hasRedis && 'there is no redis-server' }, () => {
  it('serves a build of Vite', async () => {
    const { createStorage } = await import('unstorage')
    const { default: redisDriver } = await import('unstorage/drivers/redis')
    const { startRedis } = await import('./support/redis.mjs')
    const { root, images } = await project('vite')
    const { port, stop } = await startRedis(root)
    const storages = []
    const storage = () => {
      const driver = redisDriver({ host: '127.0.0.1', port })
      storages.push(createStorage({ driver }))
      return storages.at(-1)
    }
    try {
      const first = await built('vite', root, { cache: { storage: storage() } })
      assert.equal(first.encodes.length, images.length)
      const second = await built('vite', root, { cache: { storage: storage() } })
      assert.deepEqual(second.encodes, [])
      assert.deepEqual(second.digests, first.digests)
      assert.equal(fs.existsSync(cacheFolder(root)), false)
    } finally {
      await Promise.all(storages.map(each => each.dispose()))
      stop()
    }
  })
})
