// Shows what becomes of a whole bundle: images are made once per use, whatever names them follows, and names do not depend
// on which image was finished first. The bundles are made by hand, their pictures are real.
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { describe, it } from 'node:test'
import { parse, serialize } from 'parse5'
import { contentHash } from '../esm/cache/index.js'
import { sniff } from '../esm/core/formats.js'
import { bytesOfDataUrl, inlineImages } from '../esm/core/references.js'
import pixrace from '../index.js'
import { fixture } from './support/fixtures.mjs'
import { byExtension, formats, image, only, optimizerOf, run, text } from './support/hand-made-bundle.mjs'

describe('references', () => {
  it('follow in CSS, JavaScript, HTML and JSON, and renamed stylesheets are followed too', async () => {
    const { files, changes } = await run(
      [image('assets/gradient-#.png', fixture('gradient.png'))],
      [
        text('assets/style-#.css', 'a{background:url(/assets/gradient-#.png)}b{background:url("./gradient-#.png")}'),
        text('assets/main.js', 'const a="/assets/gradient-#.png",b="/assets/style-#.css";load(b)'),
        text('index.html', '<link rel=stylesheet href="/assets/style-#.css"><img src="/assets/gradient-#.png">'),
        text('.vite/manifest.json', '{"a":{"file":"assets/gradient-#.png","css":["assets/style-#.css"]}}'),
      ],
      { optimizer: optimizerOf({ convert: ['avif'] }) },
    )
    const [avif, css] = [only(files, '.avif'), only(files, '.css')]
    assert.notEqual(css, 'assets/style-OLDHASH1.css')
    assert.match(avif, /^assets\/gradient-[\w-]{8}\.avif$/)
    assert.deepEqual(byExtension(files, '.png'), [])
    const base = posix.basename(avif)
    assert.equal(files.get(css), `a{background:url(/${avif})}b{background:url("./${base}")}`)
    assert.equal(files.get('assets/main.js'), `const a="/${avif}",b="/${css}";load(b)`)
    assert.equal(files.get('index.html'), `<link rel=stylesheet href="/${css}"><img src="/${avif}">`)
    assert.deepEqual(JSON.parse(files.get('.vite/manifest.json')), { a: { file: avif, css: [css] } })
    // Names say what is in the files.
    assert.ok(avif.includes((await contentHash(files.get(avif))).slice(0, 8)))
    assert.deepEqual([...changes.renamed], [['assets/style-OLDHASH1.css', css]])
    for (const list of changes.edits.values()) {
      assert.deepEqual(
        list,
        [...list].sort((a, b) => a.start - b.start),
      )
    }
  })

  it('of stylesheets to stylesheets follow, and every name is that of the final content', async () => {
    const { files } = await run(
      [image('gradient-#.png', fixture('gradient.png'))],
      [
        // In this order, so that the one that is named last has to be settled first.
        text('outer-#.css', '@import "./inner-#.css";a{color:red}'),
        text('inner-#.css', 'a{background:url("./gradient-#.png")}'),
        text('index.html', '<link rel=stylesheet href="/outer-#.css">'),
      ],
    )
    const outer = byExtension(files, '.css').find(name => name.startsWith('outer'))
    const inner = byExtension(files, '.css').find(name => name.startsWith('inner'))
    assert.equal(files.get(outer), `@import "./${inner}";a{color:red}`)
    assert.equal(files.get('index.html'), `<link rel=stylesheet href="/${outer}">`)
    for (const name of [outer, inner]) {
      assert.ok(name.includes((await contentHash(Buffer.from(files.get(name)))).slice(0, 8)), name)
    }
  })

  it('stay where the format and the name stay, and the file is smaller', async () => {
    const bytes = fixture('gradient.png')
    const { files, records } = await run([image('gradient.png', bytes)], [text('main.js', 'show("gradient.png")')])
    assert.deepEqual(formats(files), { 'gradient.png': 'png' })
    assert.ok(files.get('gradient.png').length < bytes.length)
    assert.equal(files.get('main.js'), 'show("gradient.png")')
    assert.equal(records.length, 1)
    const { source, before, outputs } = records[0]
    assert.deepEqual([source, before], ['src/gradient.png', bytes.length])
    assert.deepEqual(outputs[0].fileName, 'gradient.png')
  })

  it('that nothing has: the image keeps its name and its format', async () => {
    const { files } = await run(
      [image('a/gradient-#.png', fixture('gradient.png'))],
      [text('main.js', '"nothing.png"')],
      { optimizer: optimizerOf({ convert: true }) },
    )
    assert.deepEqual(formats(files), { 'a/gradient-OLDHASH1.png': 'png' })
    assert.ok(files.get('a/gradient-OLDHASH1.png').length < fixture('gradient.png').length)
  })
})

describe('an image', () => {
  const convert = () => ({ optimizer: optimizerOf({ convert: ['avif'] }) })

  it('that only a listing names is optimised under its name', async () => {
    const { files, records } = await run(
      [image('gradient-#.png', fixture('gradient.png'))],
      [text('.vite/manifest.json', '{"a":{"file":"gradient-#.png"}}')],
      convert(),
    )
    assert.deepEqual(formats(files), { 'gradient-OLDHASH1.png': 'png' })
    assert.ok(files.get('gradient-OLDHASH1.png').length < fixture('gradient.png').length)
    assert.equal(records.length, 1)
  })

  it('that somebody gave its very name keeps its format', async () => {
    const { files } = await run(
      [image('logo.png', fixture('gradient.png'), { isFixed: true })],
      [text('main.js', 'show("/logo.png")')],
      convert(),
    )
    assert.deepEqual(formats(files), { 'logo.png': 'png' })
    assert.equal(files.get('main.js'), 'show("/logo.png")')
  })
})

describe('icons', () => {
  const optimizer = () => optimizerOf({ convert: ['avif'] })

  it('keep their format while an <img> of the same file gets another', async () => {
    const { files, records } = await run(
      [image('gradient-#.png', fixture('gradient.png'))],
      [
        text(
          'index.html',
          '<link rel="icon" href="/gradient-#.png"><meta property="og:image" content="https://x.org/gradient-#.png"><img src="/gradient-#.png">',
        ),
      ],
      { optimizer: optimizer() },
    )
    const [png, avif] = [only(files, '.png'), only(files, '.avif')]
    assert.deepEqual(formats(files), { [png]: 'png', [avif]: 'avif' })
    assert.equal(
      files.get('index.html'),
      `<link rel="icon" href="/${png}"><meta property="og:image" content="https://x.org/${png}"><img src="/${avif}">`,
    )
    assert.equal(records.length, 2)
  })

  it('keep their name, too, where names have no hash', async () => {
    const { files } = await run(
      [image('icon.png', fixture('gradient.png'))],
      [text('index.html', '<img src="/icon.png"><link rel="icon" href="/icon.png">')],
      { optimizer: optimizer() },
    )
    assert.deepEqual(formats(files), { 'icon.png': 'png', 'icon.avif': 'avif' })
    assert.equal(files.get('index.html'), '<img src="/icon.avif"><link rel="icon" href="/icon.png">')
  })

  it('of a web manifest keep theirs', async () => {
    const { files } = await run(
      [image('gradient-#.png', fixture('gradient.png'))],
      [text('app.webmanifest', '{"icons":[{"src":"gradient-#.png","type":"image/png"}]}')],
      { optimizer: optimizer() },
    )
    const png = only(files, '.png')
    assert.equal(JSON.parse(files.get('app.webmanifest')).icons[0].src, png)
    assert.equal(sniff(files.get(png)), 'png')
  })

  it('of structured data and feeds keep theirs beside an <img> of the same file', async () => {
    const { files } = await run(
      [image('gradient-#.png', fixture('gradient.png'))],
      [
        text('feed.xml', '<image><url>https://a.example/gradient-#.png</url></image>'),
        text(
          'index.html',
          '<script type="application/ld+json">{"image":"/gradient-#.png"}</script><img src="/gradient-#.png">',
        ),
      ],
      { optimizer: optimizer() },
    )
    const [png, avif] = [only(files, '.png'), only(files, '.avif')]
    assert.equal(files.get('feed.xml'), `<image><url>https://a.example/${png}</url></image>`)
    const script = `<script type="application/ld+json">{"image":"/${png}"}</script>`
    assert.equal(files.get('index.html'), `${script}<img src="/${avif}">`)
  })

  it('that were inlined keep theirs, and other inlined images do not', async () => {
    const icon = fixture('palette.png')
    const url = bytes => `data:image/png;base64,${bytes.toString('base64')}`
    const { files } = await run(
      [],
      [text('index.html', `<link rel="icon" href="${url(icon)}"><img src="${url(fixture('gradient.png'))}">`)],
      { optimizer: optimizer() },
    )
    const [first, second] = inlineImages(files.get('index.html'))
    assert.match(first.url, /^data:image\/png/)
    assert.ok(first.url.length <= url(icon).length)
    assert.match(second.url, /^data:image\/avif/)
  })

  it('that were inlined after a conversion are made again of their source', async () => {
    const source = fixture('gradient.png')
    const { data } = await pixrace.optimize(source, { formats: ['avif'], effort: 'fast' })
    const own = optimizer()
    own.finished.add(await contentHash(data))
    const url = `data:image/avif;base64,${data.toString('base64')}`
    const { files } = await run([], [text('index.html', `<link rel="icon" href="${url}"><img src="${url}">`)], {
      optimizer: own,
      sourceOf: async () => ({ source: 'src/gradient.png', bytes: source }),
    })
    const [icon, other] = inlineImages(files.get('index.html'))
    assert.match(icon.url, /^data:image\/png/)
    assert.equal(sniff(bytesOfDataUrl(icon.url)), 'png')
    assert.equal(other.url, url)
  })
})

describe('inlined images', () => {
  const url = `data:image/png;base64,${fixture('gradient.png').toString('base64')}`

  it('get smaller in code, and the stylesheet another name', async () => {
    const { files, records } = await run(
      [],
      [text('s-#.css', `a{background:url(${url})}b{background:url(${url})}`), text('main.js', '"/s-#.css"')],
    )
    const css = only(files, '.css')
    assert.notEqual(css, 's-OLDHASH1.css')
    assert.equal(files.get('main.js'), `"/${css}"`)
    const inlined = inlineImages(files.get(css))
    assert.equal(inlined.length, 2)
    assert.equal(new Set(inlined.map(each => each.url)).size, 1)
    assert.ok(inlined[0].url.length < url.length)
    assert.equal(sniff(bytesOfDataUrl(inlined[0].url)), 'png')
    // One image, one record.
    assert.deepEqual(
      records.map(({ source, outputs }) => [source, outputs[0].fileName]),
      [['s-OLDHASH1.css (inlined 1)', null]],
    )
  })

  it('of our own placeholders and of no known format stay', async () => {
    const optimizer = optimizerOf({ convert: true })
    const answer = await optimizer.picture('a', fixture('gradient.png'), {
      ...{ widths: [], formats: ['jpeg'], placeholder: 'blur' },
    })
    await optimizer.own('a', 1, answer, answer.encoded.images)
    const { placeholder } = answer.encoded
    assert.match(placeholder, /^data:image\/webp/)
    const junk = 'data:image/png;base64,AAAABBBBCCCC'
    const code = `const p="${placeholder}",q="${junk}"`
    const { files, records } = await run([], [text('main.js', code)], { optimizer })
    assert.equal(files.get('main.js'), code)
    assert.deepEqual(records, [])
  })
})

describe('names', () => {
  it('that collide are numbered in the order of the texts, whichever image is finished first', async () => {
    // A large one and a small one: the order of the names is not that of the answers.
    const large = image('logo.png', fixture('gradient.png'))
    const small = image('logo.jpg', fixture('orientation-1.jpg'))
    const code = text('main.js', 'show("/logo.png","/logo.jpg","/logo.png")')
    const results = []
    for (const images of [
      [large, small],
      [small, large],
    ]) {
      const { files } = await run(images, [code], { optimizer: optimizerOf({ convert: ['avif'] }) })
      results.push(files)
      assert.deepEqual(formats(files), { 'logo.avif': 'avif', 'logo2.avif': 'avif' })
      assert.equal(files.get('main.js'), 'show("/logo.avif","/logo2.avif","/logo.avif")')
    }
    for (const name of ['logo.avif', 'logo2.avif']) assert.deepEqual(results[0].get(name), results[1].get(name))
  })

  it('of other files are not taken', async () => {
    const { files } = await run(
      [image('logo.png', fixture('gradient.png'))],
      [text('main.js', '"/logo.png"'), { fileName: 'logo.avif', text: 'another', rename: null, role: 'code' }],
      { optimizer: optimizerOf({ convert: ['avif'] }) },
    )
    assert.equal(files.get('main.js'), '"/logo2.avif"')
    assert.equal(files.get('logo.avif'), 'another')
  })

  it('of the same bytes are one', async () => {
    const bytes = fixture('gradient.png')
    const { files } = await run(
      [image('a.png', bytes), image('b/a.png', bytes)].map(each => ({
        ...each,
        rename: (hash, ext) => `${hash}.${ext}`,
      })),
      [text('main.js', 'show("/a.png","/b/a.png")')],
    )
    const png = only(files, '.png')
    assert.equal(files.get('main.js'), `show("/${png}","/${png}")`)
  })
})

describe('an image that cannot be read', () => {
  it('stays under its name, and the record says why', async () => {
    const bytes = fixture('bad/truncated.png')
    const { files, records } = await run(
      [image('bad-#.png', bytes), image('good-#.png', fixture('palette.png'))],
      [text('main.js', 'show("/bad-#.png","/good-#.png")'), text('index.html', '<img src="/bad-#.png">')],
      { optimizer: optimizerOf({ convert: true, html: 'picture' }) },
    )
    assert.deepEqual(files.get('bad-OLDHASH1.png'), bytes)
    assert.match(files.get('main.js'), /^show\("\/bad-OLDHASH1\.png","\/good-[\w-]{8}\.\w+"\)$/)
    assert.equal(files.get('index.html'), '<img src="/bad-OLDHASH1.png">')
    const failed = records.filter(({ leftAlone }) => leftAlone)
    assert.ok(failed.length > 0 && failed.every(({ leftAlone }) => leftAlone.code === 'failed'))
  })

  it('by its name is none', async () => {
    const bytes = Buffer.from('<html>not found</html>')
    const { files, records } = await run([image('a.png', bytes)], [text('main.js', '"/a.png"')])
    assert.deepEqual(files.get('a.png'), bytes)
    assert.equal(records[0].leftAlone.code, 'failed')
  })
})

describe('a <picture>', () => {
  const body = html => /<body>([\s\S]*)<\/body>/.exec(serialize(parse(html)))[1]

  it('lists the smaller formats with the base of the <img>, and has its size', async () => {
    const { files } = await run(
      [image('assets/gradient-#.png', fixture('gradient.png'))],
      [text('index.html', '<p><img alt="x" src="https://cdn.org/b/assets/gradient-#.png"></p>')],
      { optimizer: optimizerOf({ html: 'picture' }) },
    )
    const { width, height } = await pixrace.inspect(fixture('gradient.png'))
    const images = Object.entries(formats(files))
    const named = format => images.find(([, each]) => each === format)?.[0]
    const fallback = named('jpeg') ?? named('png')
    const sources = ['avif', 'webp']
      .filter(named)
      .map(format => `<source srcset="https://cdn.org/b/${named(format)}" type="image/${format}">`)
    assert.ok(sources.length > 0)
    const size = `width="${width}" height="${height}"`
    assert.equal(
      body(files.get('index.html')),
      `<p><picture>${sources.join('')}<img ${size} alt="x" src="https://cdn.org/b/${fallback}"></picture></p>`,
    )
    assert.equal(images.length, sources.length + 1)
    const bytes = ['avif', 'webp'].filter(named).map(format => files.get(named(format)).length)
    for (const [index, each] of [...bytes, files.get(fallback).length].entries()) {
      if (index > 0) assert.ok(bytes[index - 1] < each)
    }
  })

  it('keeps the transparency of its fallback', async () => {
    const { files } = await run(
      [image('logo-#.png', fixture('logo-alpha.png'))],
      [text('index.html', '<img src="/logo-#.png" width=10>')],
      { optimizer: optimizerOf({ html: 'picture' }) },
    )
    const png = only(files, '.png')
    assert.match(body(files.get('index.html')), new RegExp(`<img src="/${png}" width="10"></picture>`))
    assert.deepEqual(byExtension(files, '.jpg'), [])
  })

  it('is not put around an image that has a choice already, whose references follow', async () => {
    const { files } = await run(
      [image('gradient-#.png', fixture('gradient.png'))],
      [
        text(
          'index.html',
          '<picture><img src="/gradient-#.png"></picture><img src=/gradient-#.png srcset="/gradient-#.png 2x">',
        ),
      ],
      { optimizer: optimizerOf({ html: 'picture' }) },
    )
    const png = only(files, '.png')
    assert.equal(files.get('index.html'), `<picture><img src="/${png}"></picture><img src=/${png} srcset="/${png} 2x">`)
  })
})
