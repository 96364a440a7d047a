// Applications of Next with the packed pixrace, built and served by Next's own commands and opened in a real Chromium.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import sharp from 'sharp'
import { path as browserPath } from './support/browser.mjs'
import { fixture } from './support/fixtures.mjs'
import { openNextApps } from './support/next-apps.mjs'
import { openVisitor, typeOf } from './support/site-browser.mjs'

const skip = browserPath ? false : 'there is no Chromium'
/** What Chromium says of an `<img>`. */
const CHROMIUM = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'
const config = (next, options = {}) =>
  `import { withPixrace } from 'pixrace/next'\nexport default withPixrace(${JSON.stringify(next)}, ${JSON.stringify(options)})\n`

let apps
let visitor

before(async () => {
  apps = await openNextApps()
  visitor = browserPath ? await openVisitor() : null
})

after(async () => {
  await visitor?.close()
  await apps?.close()
})

async function ask(origin, path, accept) {
  const response = await fetch(`${origin}${path}`, { headers: { accept } })
  const body = Buffer.from(await response.arrayBuffer())
  return { status: response.status, type: response.headers.get('content-type'), body, is: typeOf(body) }
}

/** What every page has to show: all of its images, without an error, at once in their places. */
function checkPage({ shown, responses, problems, shifted }, { origin = '', count = 8 } = {}) {
  assert.deepEqual(problems, [])
  assert.deepEqual(
    responses.filter(({ status, path }) => status >= 400 || !path.startsWith('/')),
    [],
    `something failed, or was asked of another server than ${origin}`,
  )
  assert.equal(shown.length, count)
  for (const { alt, naturalWidth, sized } of shown) assert.ok(naturalWidth > 0 && sized, alt)
  const says = type => (/^image\/(?!svg)/.test(type) ? type : null)
  const wrong = responses.filter(({ path, type, is }) => !path.endsWith('.ico') && is !== says(type))
  assert.deepEqual(wrong, [])
  assert.equal(shifted, 0)
}

/** The answers that are images of next/image. */
const made = (seen, path) => seen.responses.filter(response => response.path.startsWith(path))
const sourceOf = path => new URL(path, 'http://localhost').searchParams.get('url')
const candidatesOf = ({ srcset }) => srcset.split(', ').map(candidate => candidate.split(' '))
const photos = responses => responses.filter(({ path }) => /\.jpg/.test(path))

/** The best format that a browser takes, and never a still of an animation. */
function checkFormats(responses) {
  assert.equal(photos(responses).length, 5)
  for (const { path, is } of photos(responses)) assert.equal(is, 'image/avif', path)
  const animation = responses.find(({ path }) => path.includes('.gif'))
  assert.equal(animation.is, 'image/webp')
}

/** That no format of these, asked for alone, is smaller than what was given. */
async function checkSmallest(origin, path, { is, body }, formats) {
  for (const format of formats.filter(format => format !== is)) {
    const other = await ask(origin, path, format)
    assert.ok(other.is !== format || other.body.length >= body.length, `${path}: ${is} is larger than ${format}`)
  }
}

/** What the route answers, by header and query; `place` gives its server and what a browser saw. */
function answers(place) {
  for (const [accept, formats] of [
    [CHROMIUM, ['image/avif', 'image/webp', 'image/jpeg', 'image/png']],
    ['image/webp,*/*', ['image/webp', 'image/jpeg', 'image/png']],
    ['*/*', ['image/jpeg', 'image/png']],
  ]) {
    it(`Accept: ${accept}: the smallest of ${formats.join(', ')}`, async () => {
      const seenTypes = new Set()
      for (const { path } of made(place().seen, '/pixrace').filter(({ path }) => !path.includes('.gif'))) {
        const answer = await ask(place().server.origin, path, accept)
        assert.equal(answer.is, answer.type)
        assert.ok(formats.includes(answer.is), `${path}: ${answer.is}`)
        seenTypes.add(answer.is)
        await checkSmallest(place().server.origin, path, answer, formats)
      }
      assert.ok(seenTypes.has(formats[0]), [...seenTypes].join(', '))
    })
  }

  it('every candidate of a srcset has the width that it says, or that of the source', async () => {
    const lake = place().seen.shown.find(({ alt }) => alt.includes('lake') && alt.includes('Snowy'))
    const source = await sharp(join(apps.root, 'images/lake.jpg')).metadata()
    const candidates = candidatesOf(lake)
    assert.deepEqual(
      candidates.map(([, width]) => width),
      [640, 750, 828, 1080, 1200, 1920, 2048, 3840].map(width => `${width}w`),
    )
    for (const [path, says] of candidates) {
      const { body } = await ask(place().server.origin, path, CHROMIUM)
      assert.equal((await sharp(body).metadata()).width, Math.min(Number.parseInt(says, 10), source.width), path)
    }
  })

  it('what no application names is refused', async () => {
    const { path } = photos(made(place().seen, '/pixrace'))[0]
    for (const wrong of [path.replace(/w=\d+/, 'w=641'), path.replace('q=75', 'q=50'), path.replace(/&w=\d+/, '')]) {
      assert.equal((await ask(place().server.origin, wrong, CHROMIUM)).status, 400, wrong)
    }
    const remote = encodeURIComponent('https://example.com/photo.jpg')
    assert.equal((await ask(place().server.origin, `/pixrace?url=${remote}&w=640&q=75`, CHROMIUM)).status, 400)
    assert.equal((await ask(place().server.origin, '/pixrace?url=%2F..%2Fpackage.json&w=640', CHROMIUM)).status, 404)
  })
}

describe('App Router, Turbopack', { skip }, () => {
  let app
  let server
  let seen

  before(async () => {
    app = apps.app('next')
    await app.build()
    server = await app.serve()
    seen = await visitor.visitAt(server.origin, '/', { scroll: true })
  })
  after(() => server?.stop())

  it('the page shows every image without an error, and nothing moves', () => checkPage(seen, server))

  it('every image comes from the route: photos in AVIF, the animation in WebP', () => {
    for (const { alt, currentSrc } of seen.shown) assert.match(currentSrc, /^\/pixrace\?url=/, alt)
    assert.equal(made(seen, '/pixrace').length, seen.shown.length)
    checkFormats(made(seen, '/pixrace'))
  })

  it('the animation still moves', async () => {
    const { path } = seen.responses.find(response => response.path.includes('.gif'))
    const { body } = await ask(server.origin, path, CHROMIUM)
    const [was, is] = await Promise.all(
      [fs.readFileSync(join(apps.root, 'images/sun.gif')), body].map(bytes => sharp(bytes).metadata()),
    )
    assert.ok(is.pages > 1 && is.pages <= was.pages, `${is.pages} of ${was.pages} frames`)
  })

  it('fewer bytes of images than the originals have', async t => {
    const answers = made(seen, '/pixrace')
    const originals = await Promise.all(answers.map(({ path }) => ask(server.origin, sourceOf(path), CHROMIUM)))
    const [was, is] = [originals.map(({ body }) => body.length), answers.map(({ bytes }) => bytes)].map(sizes =>
      sizes.reduce((sum, bytes) => sum + bytes, 0),
    )
    t.diagnostic(`${was} -> ${is} bytes`)
    assert.ok(is < 0.6 * was, `${was} -> ${is}`)
  })

  answers(() => ({ server, seen }))
})

describe('App Router, webpack, below /docs', { skip }, () => {
  let server
  after(() => server?.stop())

  it('the page shows every image without an error, photos in AVIF', async () => {
    const app = apps.app('next')
    app.write('next.config.mjs', config({ basePath: '/docs' }))
    await app.build('--webpack')
    server = await app.serve()
    const seen = await visitor.visitAt(server.origin, '/docs', { scroll: true })
    checkPage(seen, server)
    assert.equal(made(seen, '/docs/pixrace?').length, seen.shown.length)
    checkFormats(made(seen, '/docs/pixrace?'))
  })
})

describe('next dev', { skip }, () => {
  let server
  after(() => server?.stop())

  it('shows the originals', async () => {
    const app = apps.app('next')
    app.write('next.config.mjs', config({}))
    server = await app.serve('dev')
    const seen = await visitor.visitAt(server.origin, '/', { scroll: true })
    const images = made(seen, '/_next/static/media').filter(({ path }) => path.includes('?w='))
    assert.deepEqual(new Set(images.map(({ is }) => is)), new Set(['image/jpeg', 'image/png', 'image/gif']))
    for (const { alt, naturalWidth } of seen.shown) assert.ok(naturalWidth > 0, alt)
    assert.deepEqual(made(seen, '/pixrace'), [])
  })
})

const PAGE = `import Image from 'next/image'
import card from '../card.jpg'
import mark from '../mark.svg'

export default function Home() {
  return (
    <main>
      <Image src={card} alt="listed" quality={50} sizes="100vw" />
      <Image src={card} alt="not listed" quality={62} sizes="100vw" />
      <Image src="/postcard (1) & more.jpg" alt="public" width={300} height={200} />
      <Image src={mark} alt="drawing" width={32} height={32} />
    </main>
  )
}
`
const ROUTE = `import { createNextImageHandler } from 'pixrace/next/route'
import { toNodeHandler } from 'pixrace/server'

export default toNodeHandler(createNextImageHandler())
`
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><circle cx="16" cy="16" r="9"/></svg>'

/** An application with names and kinds of images that need care; `folder` is that of its pages. */
function writeSmallApp(name) {
  const app = apps.app(name)
  // Its own kind of modules, not that of the folder above.
  app.write('package.json', '{}')
  app.write('mark.svg', SVG)
  app.write('card.jpg', fs.readFileSync(join(apps.root, 'images/card.jpg')))
  app.write('later.jpg', fs.readFileSync(join(apps.root, 'images/dusk.jpg')))
  app.write('public/postcard (1) & more.jpg', fixture('photo.jpg'))
  return app
}

describe('Pages Router, with what Next is told of images', { skip }, () => {
  let server
  let seen
  after(() => server?.stop())

  before(async () => {
    const app = writeSmallApp('pages-app')
    app.write('public/favicon.ico', fs.readFileSync(join(apps.root, 'images/icon.png')))
    app.write('pages/index.js', PAGE)
    app.write('pages/api/pixrace.js', ROUTE)
    const images = { qualities: [50, 75], deviceSizes: [500, 1000], imageSizes: [20], minimumCacheTTL: 60 }
    app.write('next.config.mjs', config({ trailingSlash: true, images }, { path: '/api/pixrace' }))
    await app.build()
    server = await app.serve()
    seen = await visitor.visitAt(server.origin, '/', { until: 'img' })
  })

  it('the page shows every image without an error', () => checkPage(seen, { ...server, count: 4 }))

  it('no image takes a redirect', () => {
    // Two of the four are the same image.
    assert.equal(made(seen, '/api/pixrace/?').length, 2)
    assert.deepEqual(
      seen.responses.filter(({ status }) => status >= 300),
      [],
    )
  })

  it('widths and qualities are those of `images`; of others the nearest is taken', () => {
    const [listed, unlisted] = seen.shown
    assert.deepEqual(
      candidatesOf(listed).map(([path, says]) => [/&w=(\d+)&q=(\d+)$/.exec(path).slice(1).join(' '), says]),
      [
        ['500 50', '500w'],
        ['1000 50', '1000w'],
      ],
    )
    assert.match(unlisted.currentSrc, /&q=50$/)
  })

  it('clients keep an image for `minimumCacheTTL`', async () => {
    const { headers } = await fetch(`${server.origin}${seen.shown[0].currentSrc}`)
    assert.equal(headers.get('cache-control'), 'public, max-age=60, must-revalidate')
  })

  it('a drawing stays as it is', () => assert.match(seen.shown[3].currentSrc, /\.svg$/))
})

const LATER = `'use client'
import Image from 'next/image'
import { useState } from 'react'
import card from '../later.jpg'

export default function Later() {
  const [open, setOpen] = useState(false)
  const image = open && <Image src={card} alt="later" sizes="100vw" />
  return <div><button type="button" onClick={() => setOpen(true)}>Show</button>{image}</div>
}
`

const LAYOUT = 'export default ({ children }) => <html lang="en"><body>{children}</body></html>\n'

const named = html => [...`${html}`.matchAll(/\/_pixrace\/[^\s"'\\,]+/g)].map(([path]) => decodeURIComponent(path))
const images = files => [...files].filter(([name]) => name.startsWith('_pixrace/'))

describe('static export', { skip }, () => {
  let app
  let first
  let seen

  before(async () => {
    app = apps.app('next')
    app.write('next.config.mjs', config({ output: 'export' }))
    fs.rmSync(join(app.folder, 'app/pixrace'), { recursive: true })
    await app.build()
    first = app.files('out')
    seen = await visitor.visit(first, { scroll: true })
  })

  it('from a plain server the page shows every image without an error, and nothing moves', () => {
    // A plain server knows the type of a file by its name alone; browsers look at the bytes.
    const responses = seen.responses.filter(({ path }) => !/\.gif\//.test(path))
    checkPage({ ...seen, responses })
    assert.deepEqual(
      seen.responses.filter(({ status }) => status >= 400),
      [],
    )
    for (const { alt, currentSrc } of seen.shown) assert.match(currentSrc, /^\/_pixrace\/.+\.avif$/, alt)
  })

  it('every image that the page names is there, in AVIF and in the width of its name; no other is', async () => {
    const names = new Set(named(first.get('index.html')).map(name => name.slice(1)))
    assert.deepEqual(
      images(first).map(([name]) => name),
      [...names].sort(),
    )
    assert.ok(names.size > 40, `${names.size} names`)
    for (const [name, bytes] of images(first)) {
      assert.equal(typeOf(bytes), /\.gif\//.test(name) ? 'image/webp' : 'image/avif', name)
      const [, source, width] = /^_pixrace\/(.+)\/(\d+)-75\.avif$/.exec(name)
      const { width: most } = await sharp(first.get(source)).metadata()
      assert.equal((await sharp(bytes).metadata()).width, Math.min(Number(width), most), name)
    }
  })

  it('a second export takes everything from the cache and has the same bytes', async () => {
    const output = await app.build()
    assert.match(output, /all from the cache/)
    assert.deepEqual(images(app.files('out')), images(first))
  })
})

describe('static export below /docs, in WebP, into another folder', { skip }, () => {
  let files

  it('the page shows every image, odd names too', async () => {
    const small = writeSmallApp('export-app')
    const page = PAGE.replace('src="/', 'src="/docs/').replace('</main>', '<Later /></main>')
    small.write('app/page.jsx', `import Later from './Later'\n${page}`)
    small.write('app/Later.jsx', LATER)
    small.write('app/layout.jsx', LAYOUT)
    small.write('app/icon.png', fs.readFileSync(join(apps.root, 'images/icon.png')))
    small.write(
      'next.config.mjs',
      config({ output: 'export', basePath: '/docs', distDir: 'site' }, { exportFormat: 'webp' }),
    )
    await small.build()
    files = small.files('site')
    checkPage(await visitor.visit(files, { base: '/docs/', until: 'img' }), { count: 4 })
    assert.deepEqual(new Set(images(files).map(([, bytes]) => typeOf(bytes))), new Set(['image/webp']))
  })

  it('an image that only a script names is shown from its original', async () => {
    const press = async page => {
      await page.locator('button').click()
      await page.locator('img[alt=later]:not([srcset])').waitFor()
      await page.waitForLoadState('networkidle')
    }
    const page = await visitor.visit(files, { base: '/docs/', until: 'img', act: press })
    const later = page.shown.find(({ alt }) => alt === 'later')
    assert.match(later.currentSrc, /^\/docs\/_next\/static\/media\/later\..+\.jpg$/)
    assert.ok(later.naturalWidth > 0)
  })
})
