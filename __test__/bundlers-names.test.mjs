// Names of built files: a hash in a name stands for the bytes, whatever the options are, and with `fileName` every bundler
// gives the same files.
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build as buildHere } from './support/build.mjs'
import { picture, temporary, write } from './support/project.mjs'
import { typeOf } from './support/site-browser.mjs'
import { BUNDLERS, digestOf, inPairs, openSites } from './support/sites.mjs'

const HASHED = /[-.](?:[\w-]{8}|[0-9a-f]{16}|[0-9a-f]{20})\.\w+$/
// As Rollup has them; webpack and Rspack name asset modules by hashes of their own.
const OURS = /[-.](?<hash>[\w-]{8})\.(?:avif|webp|jpe?g|png|gif)$/
const SCORES = [50, 80]

let sites
before(async () => {
  sites = await openSites()
})
after(() => sites?.close())

const isImage = ([, bytes]) => typeOf(bytes) !== null
const isCode = ([name]) => /\.(?:js|css)$/.test(name)
const hashed = files => [...files].filter(([name]) => HASHED.test(name))

/** Names that two builds have both, with other contents. */
const conflicts = (one, other) =>
  hashed(one)
    .filter(([name, bytes]) => other.has(name) && !bytes.equals(other.get(name)))
    .map(([name]) => name)

/** Where a text has the names of images, whatever they are. */
const withoutHashes = (text, files) =>
  [...files.keys()].reduce((rest, name) => rest.replaceAll(posix.basename(name), '*'), `${text}`)

describe('the hash in a name', () => {
  /** The files of two builds by bundler, with other options of the engine. */
  const built = new Map()

  before(async () => {
    const build = async ({ bundler, minScore }) => {
      const { files } = await sites.build({ bundler, options: { convert: true, minScore } })
      built.set(`${bundler} ${minScore}`, files)
    }
    const jobs = BUNDLERS.flatMap(bundler => SCORES.map(minScore => ({ bundler, minScore })))
    // Those of the first bundler fill the cache.
    for (const job of jobs.slice(0, SCORES.length)) await build(job)
    await inPairs(jobs.slice(SCORES.length), build)
  })

  for (const bundler of BUNDLERS) {
    const pair = () => SCORES.map(minScore => built.get(`${bundler} ${minScore}`))
    const isRollup = ['vite', 'vite7', 'rollup'].includes(bundler)

    it(`${bundler}: every name of ours is that of the final bytes`, () => {
      for (const files of pair()) {
        const named = hashed(files).filter(isImage)
        const ours = named.filter(([name]) => OURS.test(name))
        assert.ok(ours.length >= 9, `${ours.length} images`)
        if (isRollup) assert.equal(ours.length, named.length)
        for (const [name, bytes] of ours) assert.equal(OURS.exec(name).groups.hash, digestOf(bytes).slice(0, 8), name)
      }
    })

    it(`${bundler}: no two contents have the same name, also across builds with other options`, () => {
      const [one, other] = pair()
      assert.ok(hashed(one).length >= 12)
      assert.deepEqual(conflicts(one, other), [])
    })

    it(`${bundler}: with another option of the engine, images and what refers to them have other names`, () => {
      const [one, other] = pair()
      const photos = hashed(one).filter(
        ([name]) => /\b(?:hero|lake|dusk|map)\b/.test(name) && isImage([name, one.get(name)]),
      )
      assert.ok(photos.length >= 9)
      for (const [name] of photos) assert.equal(other.has(name), false, name)
      const referring = [...one].filter(isCode).filter(([, code]) => withoutHashes(code, one) !== `${code}`)
      assert.ok(referring.some(([name]) => name.endsWith('.js')))
      if (isRollup) assert.ok(referring.some(([name]) => name.endsWith('.css')))
      // A stylesheet may stay, where its images did.
      for (const [name] of referring.filter(([name]) => name.endsWith('.js')))
        assert.equal(other.has(name), false, name)
    })
  }
})

const SAME = `import card from '../../images/lake-480.jpg'
import icon from '../../images/icon.png'
import logo from '../../images/logo.png'
import dusk from '../../images/dusk.jpg?smallest'
import lake from '../../images/lake-480.jpg?w=160;320&picture'
import supper from '../../images/supper.webp'
const sun = new URL('../../images/sun.gif', import.meta.url).href
document.title = [card, icon, logo, dusk, JSON.stringify(lake), supper, sun].join()
`

describe('fileName', () => {
  /** Digests by name, by bundler and number of threads. */
  const built = new Map()

  before(async () => {
    for (const site of new Set(BUNDLERS.map(bundler => bundler.replace('7', ''))))
      sites.write(`${site}/src/same.js`, SAME)
    for (const threads of ['1', '2']) {
      await inPairs(BUNDLERS, async bundler => {
        const options = { convert: true, fileName: 'img/[name]-[hash].[ext]', cache: false }
        const env = { PIXRACE_THREADS: threads }
        const { files } = await sites.build({ bundler, entry: './src/same.js', inlineLimit: 0, options, env })
        const images = [...files].filter(([name]) => name.startsWith('img/'))
        built.set(`${bundler} ${threads}`, Object.fromEntries(images.map(([name, bytes]) => [name, digestOf(bytes)])))
      })
    }
  })

  it('names every image, by its name in the source and its bytes', () => {
    const names = Object.keys(built.get('rollup 2'))
    const sources = names.map(name => /^img\/([\w-]+)-[\w-]{8}\.\w+$/.exec(name)?.[1]).sort()
    const expected = ['dusk', 'icon', 'lake-480', 'lake-480-160', 'lake-480-320', 'logo', 'sun', 'supper']
    assert.deepEqual([...new Set(sources)], expected)
    for (const [name, digest] of Object.entries(built.get('rollup 2')))
      assert.ok(name.includes(digest.slice(0, 8)), name)
  })

  for (const bundler of BUNDLERS) {
    it(`${bundler} gives the files that Rollup gives, byte for byte, in a build without a cache`, () => {
      assert.deepEqual(built.get(`${bundler} 2`), built.get('rollup 2'))
    })

    it(`${bundler} gives the same files again with a single thread`, () => {
      assert.deepEqual(built.get(`${bundler} 1`), built.get(`${bundler} 2`))
    })

    it(`${bundler} names an image by its own bytes beside a picture of it that is finished first`, async () => {
      const { root, remove } = temporary(`beside-${bundler}`)
      const main = `import picture from './a.jpg?picture&w=8&format=jpeg&placeholder=none'\nimport image from './a.jpg'
console.log(picture, image)\n`
      const bytes = await picture(1, { width: 600, height: 400, format: 'jpg' })
      const page = '<!doctype html><script type="module" src="/src/main.js"></script>'
      write(root, { 'index.html': page, 'src/main.js': main, 'src/a.jpg': bytes })
      const options = { fileName: 'img/[name]-[hash].[ext]', effort: 'best', cache: false, report: false }
      const { error, files } = await buildHere(bundler, root, options)
      remove()
      assert.equal(error, null)
      const images = [...files].filter(isImage)
      assert.equal(images.length, 2)
      for (const [name, bytes] of images) assert.equal(OURS.exec(name).groups.hash, digestOf(bytes).slice(0, 8), name)
    })
  }
})
