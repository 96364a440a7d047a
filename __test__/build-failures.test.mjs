// Shows what a build does about what is wrong: images that cannot be read stay as they are and are named, `failOn` and `budget`
// decide whether that fails the build, and options and queries that mean nothing are refused by name.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import rollupPlugin from '../esm/rollup.js'
import { PixracePlugin as RspackPlugin } from '../esm/rspack.js'
import vitePlugin from '../esm/vite.js'
import { PixracePlugin as WebpackPlugin } from '../esm/webpack.js'
import { BUNDLERS, build } from './support/build.mjs'
import { digestOf } from './support/engine-spy.mjs'
import { application, makeProject, picture, temporary, write } from './support/project.mjs'

const folders = []
after(() => {
  for (const { remove } of folders) remove()
})

function folder(name) {
  folders.push(temporary(name))
  return folders.at(-1).root
}

/** Files that are no whole image, by the reason that is given. */
const REASONS = {
  'corrupt.png': /Corrupt PNG input: .*CRC/,
  'cut.jpg': /Corrupt JPEG input: Premature end/,
  'text.png': /not an image that pixrace reads|Unsupported input/,
}

/** The ways of an image into a build. */
const ways = bundler =>
  bundler === 'rollup' ? ['script', 'picture'] : ['script', 'picture', 'style', 'page', 'public']

async function badFiles(way, seed) {
  const png = await picture(seed)
  png[png.length >> 1] ^= 1
  const jpeg = await picture(seed, { format: 'jpg' })
  const files = { 'corrupt.png': png, 'cut.jpg': jpeg.subarray(0, jpeg.length >> 1) }
  return { ...files, 'text.png': Buffer.from(`a text, used in: ${way}`.padEnd(600)) }
}

/** A project in which every image is bad. Gives the bytes by the path. */
async function badProject(bundler) {
  const root = folder(`bad-${bundler}`)
  const images = {}
  for (const [index, way] of ways(bundler).entries()) {
    const place = way === 'public' ? 'public' : 'src'
    const files = await badFiles(way, index + 1)
    for (const [name, bytes] of Object.entries(files)) images[`${place}/${way}-${name}`] = bytes
  }
  const each = (way, line) => Object.keys(REASONS).map((name, index) => line(`${way}-${name}`, index))
  const main = [
    ...each('script', (name, index) => `import image${index} from './${name}'\nconsole.log(image${index})`),
    ...each(
      'picture',
      (name, index) => `import picture${index} from './${name}?picture'\nconsole.log(picture${index})`,
    ),
  ].join('\n')
  const style = each('style', (name, index) => `.a${index} { background: url(./${name}) }`).join('\n')
  const prefix = bundler.startsWith('vite') ? '/src/' : './'
  const script = bundler.startsWith('vite') ? '<script type="module" src="/src/main.js"></script>' : ''
  const body = `<!doctype html><title>Page</title>${each('page', name => `<img src="${prefix}${name}">`).join('')}${script}`
  write(root, { ...application(bundler, main, style, body), ...images })
  return { root, images }
}

/** A sound project, with what the bundler takes images by. */
async function soundProject(bundler) {
  const root = folder(`sound-${bundler}`)
  await makeProject(bundler, root)
  return root
}

// Lines are wrapped, and Rspack draws a frame.
const plain = text => text.replace(/[│\s]+/g, ' ')

/** That each file is named beside its reason. Rspack does not say from which folder it copied. */
function assertNamed(text, images) {
  for (const path of Object.keys(images)) {
    const name = path.replace('public/', '')
    const reason = REASONS[path.slice(path.indexOf('-') + 1)]
    assert.ok(text.includes(name), `${path} is not named in: ${text}`)
    assert.match(text.slice(text.indexOf(name)), reason)
  }
}

for (const bundler of BUNDLERS) {
  describe(`images that cannot be read, with ${bundler}`, () => {
    it('stay as they are, in every place, with a warning that names file and reason', async () => {
      const { root, images } = await badProject(bundler)
      const { error, files, digests, text, warnings } = await build(bundler, root, { report: false })
      assert.equal(error, null)
      const written = Object.values(digests)
      for (const [path, bytes] of Object.entries(images)) {
        assert.ok(written.includes(digestOf(bytes)), `${path} is not in the output: ${[...files.keys()]}`)
      }
      assertNamed(plain(text), images)
      // These bundlers have a place for warnings of their own.
      if (!['webpack', 'rspack'].includes(bundler)) return
      assert.equal(warnings.length, Object.keys(images).length)
      assertNamed(plain(warnings.join('\n')), images)
    })

    it("fail the build with `failOn: 'error'` and with 'warning', and not with 'never'", async () => {
      const { root, images } = await badProject(bundler)
      for (const failOn of ['error', 'warning']) {
        const { error } = await build(bundler, root, { failOn, report: false })
        assert.ok(error, failOn)
        assertNamed(plain(error.message), images)
      }
      assert.equal((await build(bundler, root, { failOn: 'never', report: false })).error, null)
    })
  })

  describe(`a sound build with ${bundler}`, () => {
    it("fails on the engine's warnings with `failOn: 'warning'` alone", async () => {
      const root = await soundProject(bundler)
      const options = { maxBytes: 30, report: false }
      for (const failOn of ['never', 'error']) {
        const { error, text } = await build(bundler, root, { ...options, failOn })
        assert.equal(error, null)
        assert.match(plain(text), /No candidate has at most 30 bytes .*src\/\w+\.png/)
      }
      const { error } = await build(bundler, root, { ...options, failOn: 'warning' })
      assert.match(plain(error?.message ?? ''), /src\/plain\.png: .*maxBytes/)
    })

    it('fails on its budgets whatever `failOn` is, with the list', async () => {
      const root = await soundProject(bundler)
      const budget = { maxBytesPerImage: 2000, minSaving: 0.99 }
      const { error } = await build(bundler, root, { budget, failOn: 'never', report: false })
      const message = plain(error?.message ?? '')
      for (const name of ['plain', 'url']) assert.match(message, new RegExp(`${name}\\S*\\.png has [\\d,]+ bytes`))
      assert.doesNotMatch(message, /photo\S*\.jpg has/)
      assert.match(message, /budget\.maxBytesPerImage is 2,000/)
      assert.match(message, /saving is [\d.]+ % .*budget\.minSaving is 99 %/)
      const met = { maxBytesPerImage: 5000, minSaving: 0.1 }
      assert.equal((await build(bundler, root, { budget: met, report: false })).error, null)
    })

    it('prints a table, but not with `report: false`', async () => {
      const root = await soundProject(bundler)
      assert.match((await build(bundler, root)).text, /before +→ after[\s\S]*src\/plain\.png/)
      assert.equal((await build(bundler, root, { report: false })).text, '')
    })

    it('writes a manifest that is the same when nothing had to be made and names files that are there', async () => {
      const root = await soundProject(bundler)
      const cold = await build(bundler, root, { manifest: true, convert: true })
      const warm = await build(bundler, root, { manifest: true, convert: true })
      assert.deepEqual(warm.encodes, [])
      assert.equal(warm.files.get('pixrace.json')?.toString(), cold.files.get('pixrace.json').toString())
      const { images } = JSON.parse(cold.files.get('pixrace.json'))
      assert.ok(images['src/wide.png'].outputs.length >= 4)
      for (const [source, { outputs }] of Object.entries(images)) {
        assert.ok(outputs.length > 0, source)
        const named = outputs.filter(({ fileName }) => fileName !== null)
        for (const { fileName, bytes } of named) assert.equal(cold.files.get(fileName)?.length, bytes, fileName)
      }
      const elsewhere = await build(bundler, root, { manifest: 'data/images.json' })
      assert.ok(elsewhere.files.has('data/images.json'))
    })

    it('is refused an option that the engine does not take, before any image', async () => {
      const root = await soundProject(bundler)
      const wrong = [{ quality: 101 }, { effort: 'slow' }, { limits: { maxPixels: 0 } }, { quality: 80, minScore: 70 }]
      for (const options of wrong) {
        const { error, encodes } = await build(bundler, root, options)
        assert.match(plain(error?.message ?? ''), /Invalid option `(?:quality|effort|limits\.maxPixels|minScore)`/)
        assert.deepEqual(encodes, [])
      }
    })

    it('is refused a query that means nothing, by its name', async () => {
      const queries = { w: 'abc', format: 'bmp', placeholder: 'grey', width: '5' }
      for (const [key, value] of Object.entries(queries)) {
        const root = folder(`query-${bundler}`)
        const main = `import image from './image.png?picture&${key}=${value}'\nconsole.log(image)\n`
        write(root, { ...application(bundler, main), 'src/image.png': await picture(1) })
        const { error } = await build(bundler, root)
        assert.ok(plain(error?.message ?? '').includes(`\`?picture&${key}\``), `${key}: ${error?.message}`)
      }
    })
  })
}

describe('an exit code', () => {
  it("is not 0 where `failOn: 'error'` fails a build of Vite's command line, which names the file", async () => {
    const { root } = await badProject('vite')
    const [cli, entry] = ['../node_modules/vite/bin/vite.js', '../esm/vite.js'].map(path =>
      fileURLToPath(new URL(path, import.meta.url)),
    )
    for (const failOn of ['error', 'never']) {
      const plugin = `pixrace({ effort: 'fast', failOn: '${failOn}' })`
      const config = `import pixrace from ${JSON.stringify(entry)}\nexport default { plugins: [${plugin}] }\n`
      write(root, { 'vite.config.mjs': config })
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'build', '--configLoader', 'native'], {
        cwd: root,
        encoding: 'utf8',
      })
      assert.equal(status, failOn === 'error' ? 1 : 0, stderr)
      assert.match(failOn === 'error' ? stderr : stdout, /src\/script-corrupt\.png/)
    }
  })
})

describe('options of the plugins', () => {
  const ENTRIES = {
    vite: vitePlugin,
    rollup: rollupPlugin,
    webpack: options => new WebpackPlugin(options),
    rspack: options => new RspackPlugin(options),
  }
  const WRONG = {
    qualty: [80],
    formats: [['avif']],
    include: [5, '', ['*.png', 5], {}],
    exclude: [null],
    convert: ['yes', 1, [], ['gif'], ['avif', 'avif']],
    html: [true, 'img'],
    publicDir: ['public'],
    dev: ['yes'],
    fileName: [
      5,
      '',
      '[name]',
      '/[name].[ext]',
      '../[name].[ext]',
      'a/../../[hash].[ext]',
      '[hash:3].[ext]',
      '[id].[ext]',
    ],
    cache: [5, 'folder', null, { dir: '' }, { folder: 'x' }, { maxBytes: -1 }, { storage: {} }],
    failOn: ['maybe', true],
    budget: [5, [], null, { maxBytesPerImage: 0 }, { maxBytesPerImage: 1.5 }, { minSaving: 2 }, { most: 1 }],
    report: ['no', 0],
    manifest: [5, '', '/pixrace.json', '../pixrace.json'],
  }

  for (const [name, make] of Object.entries(ENTRIES)) {
    it(`are checked where the plugin for ${name} is made`, () => {
      for (const [option, values] of Object.entries(WRONG)) {
        for (const value of values) {
          const shown = `${option}: ${JSON.stringify(value)}`
          assert.throws(
            () => make({ [option]: value }),
            error => {
              assert.equal(error.code, 'ERR_PIXRACE_INVALID_OPTION', `${shown}: ${error}`)
              assert.ok(error.option === option || error.option.startsWith(`${option}.`), `${shown}: ${error.option}`)
              assert.ok(error.message.includes(`\`${error.option}\``) && error.expected.length > 0, shown)
              return true
            },
            shown,
          )
        }
      }
      for (const none of [null, 'text', 5]) assert.throws(() => make(none), { code: 'ERR_PIXRACE_INVALID_OPTION' })
      assert.ok(make())
      assert.ok(make({ fileName: 'img/[name]-[hash:12].[ext]', cache: { dir: join('a', 'b') } }))
    })
  }
})
