// The sites of examples/, built by every bundler with the packed plugin and opened in a real Chromium: whatever the options,
// every image is there, is what it says it is, and is smaller than it was.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { path as browserPath } from './support/browser.mjs'
import { dataUrlsIn, openVisitor, typeOf } from './support/site-browser.mjs'
import { BUNDLERS, inPairs, openSites } from './support/sites.mjs'

const SUB = '/sub/'
const DEFAULT = 'with no options'
const CONVERT = 'with convert'
const PICTURE = "with html: 'picture'"
const VARIANTS = {
  [DEFAULT]: { options: {} },
  [CONVERT]: { options: { convert: true } },
  [PICTURE]: { options: { html: 'picture' } },
  [`${CONVERT} below ${SUB}`]: { options: { convert: true }, base: SUB },
}
const ORIGINAL = { options: null }

// Rspack's own HTML plugin takes no image for a module; that of webpack works with Rspack, too.
const SUBJECTS = [
  ...BUNDLERS.map(bundler => ({ bundler, name: bundler })),
  { bundler: 'rspack', site: 'webpack', name: 'rspack with html-webpack-plugin' },
]
const skip = browserPath ? false : 'there is no Chromium'

let sites
let visitor
/** `{ files, seen }` by subject and variant; `seen` is what the browser saw. */
const results = new Map()

async function buildAndVisit({ bundler, site, name, variant, job }) {
  const built = await sites.build({ bundler, ...(site && { site }), ...job })
  const seen = visitor ? await visitor.visit(built.files, { base: job.base }) : null
  results.set(`${name} ${variant}`, { ...built, seen })
}

before(async () => {
  sites = await openSites()
  visitor = browserPath ? await openVisitor() : null
  const jobs = SUBJECTS.flatMap(subject =>
    Object.entries({ original: ORIGINAL, ...VARIANTS }).map(([variant, job]) => ({ ...subject, variant, job })),
  )
  // One after the other fills the cache; the others find everything in it.
  const [first, others] = [jobs.filter(({ name }) => name === 'vite'), jobs.filter(({ name }) => name !== 'vite')]
  for (const job of first) await buildAndVisit(job)
  await inPairs(others, buildAndVisit)
})

after(async () => {
  await visitor?.close()
  sites?.close()
})

const imagesOf = ({ responses }) => responses.filter(({ is }) => is !== null)
const transferred = seen => imagesOf(seen).reduce((sum, { bytes }) => sum + bytes, 0)
const textsOf = files => [...files].filter(([name]) => /\.(?:html|css|js)$/.test(name)).map(([, bytes]) => `${bytes}`)

/** An attribute of the first tag of the page that `tag` matches. */
function attributeOf(files, tag, attribute) {
  const found = tag.exec(`${files.get('index.html')}`)?.[0] ?? ''
  return new RegExp(`${attribute}="?([^"\\s>]+)`).exec(found)?.[1] ?? ''
}

const ICON = /<link[^>]*rel="?icon[^>]*>/
const CARD = /<meta[^>]*property="?og:image[^>]*>/

/** The true type of the file, or of the data URL, that an address in the page means. */
function typeAt(files, address, base) {
  if (address.startsWith('data:')) return dataUrlsIn(address)[0]?.is
  const name = address.startsWith(base) ? address.slice(base.length) : address.replace(/^\.\//, '')
  assert.ok(files.has(name), `${address} is no file`)
  return typeOf(files.get(name))
}

function checkPage({ shown, responses, problems, backgrounds }, base) {
  assert.deepEqual(problems, [])
  assert.deepEqual(
    responses.filter(({ status }) => status >= 400),
    [],
  )
  assert.ok(shown.length >= 9, `${shown.length} images`)
  for (const { currentSrc, naturalWidth } of shown) assert.ok(naturalWidth > 0, `${currentSrc} is not shown`)
  const asked = new Set(responses.map(({ path }) => path))
  assert.ok(backgrounds.length >= 2, `${backgrounds.length} backgrounds`)
  const linked = backgrounds.filter(address => !address.startsWith('data:'))
  for (const address of linked) assert.ok(asked.has(address), `${address} was not asked for`)
  const outside = responses.filter(({ path }) => !path.startsWith(base))
  assert.deepEqual(outside, [])
}

function checkTypes({ files, seen }) {
  const wrong = seen.responses.filter(({ type, is }) => (is ?? 'none') !== (type.startsWith('image/') ? type : 'none'))
  assert.deepEqual(wrong, [])
  const inlined = textsOf(files).flatMap(dataUrlsIn)
  assert.deepEqual(
    inlined.filter(({ type, is }) => type !== is),
    [],
  )
}

/** Whoever chooses by the type in a `<source>` must get that type. */
function checkSources(files, base) {
  const tags = `${files.get('index.html')}`.match(/<source[^>]*>/g) ?? []
  for (const tag of tags) {
    const type = /type="?([^"\s>]+)/.exec(tag)?.[1]
    const [address] = /srcset="?([^"\s>]+)/.exec(tag)?.slice(1) ?? []
    if (type) assert.equal(typeAt(files, address, base), type, tag.slice(0, 200))
  }
}

for (const { name } of SUBJECTS) {
  describe(name, () => {
    for (const [variant, { options, base = '/' }] of Object.entries(VARIANTS)) {
      const result = () => results.get(`${name} ${variant}`)

      it(`${variant}: the page shows every image, without a single error`, { skip }, () =>
        checkPage(result().seen, base),
      )

      it(`${variant}: every image is of the type that its answer, its data URL or its tag says`, { skip }, () => {
        checkTypes(result())
        checkSources(result().files, base)
      })

      it(`${variant}: fewer bytes of images than without pixrace`, { skip }, t => {
        const [was, is] = [results.get(`${name} original`), result()].map(({ seen }) => transferred(seen))
        t.diagnostic(`${was} -> ${is} bytes`)
        assert.ok(is < (options.convert ? 0.4 : 0.6) * was, `${was} -> ${is}`)
      })

      it(`${variant}: the icon, the Open Graph image and copied files keep their format`, () => {
        const { files } = result()
        assert.equal(typeAt(files, attributeOf(files, ICON, 'href'), base), 'image/png')
        assert.equal(typeAt(files, attributeOf(files, CARD, 'content'), base), 'image/jpeg')
        assert.equal(typeOf(files.get('postcard.jpg')), 'image/jpeg')
        assert.equal(typeOf(files.get('icon-192.png')), 'image/png')
      })
    }

    it('a browser gets AVIF with convert, and originally PNG and JPEG', { skip }, () => {
      const formats = variant => new Set(imagesOf(results.get(`${name} ${variant}`).seen).map(({ is }) => is))
      assert.ok(formats(CONVERT).has('image/avif'))
      assert.ok(formats(DEFAULT).has('image/png') && formats(DEFAULT).has('image/jpeg'))
      assert.equal(formats('original').has('image/avif'), false)
    })

    it("html: 'picture' gives images of the page a <picture>, of which the browser takes the AVIF", { skip }, () => {
      const { shown, pictures } = results.get(`${name} ${PICTURE}`).seen
      const before = results.get(`${name} ${DEFAULT}`).seen.pictures.length
      // The logo or the postcard, by bundler: what is copied past Vite is not wrapped.
      assert.ok(pictures.length > before, pictures.join(', '))
      const wrapped = shown.filter(({ alt }) => pictures.includes(alt)).map(({ currentSrc }) => currentSrc)
      assert.ok(wrapped.filter(address => /\.avif$|^data:image\/avif/.test(address)).length > 1, wrapped.join(', '))
    })
  })
}

const SERVER = `import card from '../../images/card.jpg'
import smallDusk from '../../images/dusk.jpg?smallest'
import map from '../../images/map.png'
import hero from '../../images/hero.jpg?w=480;960;1440&picture'
export const urls = [card, smallDusk, map, hero.img.src, ...hero.sources.flatMap(({ srcset }) => srcset.split(', '))]
`

for (const bundler of ['vite', 'vite7']) {
  it(`${bundler}: a build for a server names the files of the build for browsers`, async () => {
    sites.write('vite/src/server.js', SERVER)
    const { folder, files } = await sites.build({ bundler, ssr: 'src/server.js', options: { convert: true } })
    const { urls } = await import(pathToFileURL(join(folder, 'server.js')))
    const { files: client } = results.get(`${bundler} ${CONVERT}`)
    assert.equal(urls.length, 4 + 2 * 3)
    const names = urls.map(url => url.replace(/^\//, '').replace(/ \d+w$/, ''))
    assert.deepEqual(
      names.filter(name => !client.has(name)),
      [],
    )
    assert.deepEqual(
      [...files.keys()].filter(name => name.startsWith('assets/') && typeOf(files.get(name))),
      [],
      'it writes no images of its own',
    )
  })
}
