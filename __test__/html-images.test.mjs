// Shows which references of HTML keep their format, which tags are images, and that a <picture> is put around them in such
// a way that a parser reads what was meant.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse, serialize } from 'parse5'
import { applyEdits } from '../esm/core/bundle.js'
import { imagesOfHtml, pictureEdits } from '../esm/core/html.js'

const textOf = (html, ranges) => ranges.map(({ start, end }) => html.slice(start, end))
const kept = html => textOf(html, imagesOfHtml(html).keepFormat)
const tags = html =>
  textOf(
    html,
    imagesOfHtml(html).images.map(({ tag }) => tag),
  )
const first = html => imagesOfHtml(html).images[0]

const PICTURE = {
  sources: [
    { srcset: '/a.avif', type: 'image/avif' },
    { srcset: '/a.webp', type: 'image/webp' },
  ],
  size: { width: 640, height: 480 },
}
const SOURCES = '<source srcset="/a.avif" type="image/avif"><source srcset="/a.webp" type="image/webp">'

/** What a browser makes of the body of `html` after every image in it became a picture. */
function pictured(html, picture = PICTURE) {
  const edits = imagesOfHtml(html).images.flatMap(image => {
    return pictureEdits(image, { ...picture, size: image.hasSize ? null : picture.size })
  })
  return bodyOf(applyEdits(html, edits))
}

const bodyOf = html => /<body>([\s\S]*)<\/body>/.exec(serialize(parse(html)))[1]

describe('a format is kept', () => {
  it('by icons of every kind', () => {
    for (const rel of [
      ...['icon', 'shortcut icon', 'ICON', 'icon shortcut', 'apple-touch-icon', 'apple-touch-icon-precomposed'],
      ...['mask-icon', 'fluid-icon', 'apple-touch-startup-image', 'alternate\nicon'],
    ])
      assert.deepEqual(kept(`<link rel="${rel}" href="/a.png">`), ['href="/a.png"'], rel)
    assert.deepEqual(kept("<LINK HREF='/a.png' REL=icon>"), ["HREF='/a.png'"])
    assert.deepEqual(kept('<link href=/a.png rel=icon>'), ['href=/a.png'])
  })

  it('by Open Graph, Twitter cards and tiles', () => {
    for (const name of ['og:image', 'og:image:secure_url', 'twitter:image', 'twitter:image:src', 'OG:IMAGE']) {
      assert.deepEqual(kept(`<meta property="${name}" content="https://x.org/a.png">`), [
        'content="https://x.org/a.png"',
      ])
      assert.deepEqual(kept(`<meta content="/a.png" name="${name}">`), ['content="/a.png"'])
    }
    assert.deepEqual(kept('<meta name="msapplication-TileImage" content="/a.png">'), ['content="/a.png"'])
    assert.equal(kept('<meta property="x" name="twitter:image" content="/a.png">').length, 1)
  })

  it('by sources and links that say their type', () => {
    const html =
      '<picture><source type="image/webp" srcset="/a.webp"><source srcset="/b.png"><img src="/c.png"></picture>'
    assert.deepEqual(kept(html), ['srcset="/a.webp"'])
    assert.deepEqual(kept('<link rel="preload" as="image" type="IMAGE/PNG" href="/a.png">'), ['href="/a.png"'])
    assert.deepEqual(kept('<link rel="preload" type="text/css" href="/a.css">'), [])
  })

  it('by nothing else', () => {
    for (const html of [
      ...[
        '<link rel="preload" as="image" href="/a.png">',
        '<link rel="stylesheet" href="/a.css">',
        '<link href="/a.png">',
      ],
      ...['<meta name="description" content="/a.png">', '<img src="/a.png">', '<a rel="icon" href="/a.png">'],
      ...['<link rel="iconic" href="/a.png">', '<link rel="icon">', '<!-- <link rel="icon" href="/a.png"> -->'],
      '<script>"<link rel=icon href=/a.png>"</script>',
    ])
      assert.deepEqual(kept(html), [], html)
  })

  it('in <noscript> and behind it', () => {
    const html =
      '<head><noscript><img src="/t.png"><link rel=icon href="/a.png"></noscript><meta name="og:image" content="/b.png">'
    assert.deepEqual(kept(html), ['href="/a.png"', 'content="/b.png"'])
  })
})

describe('an image', () => {
  it('is found however its tag is written', () => {
    for (const tag of [
      ...['<img src="/a.png">', "<img src='/a.png'>", '<img src=/a.png>', '<IMG SRC="/a.png">', '<img src="/a.png"/>'],
      ...['<img src="/a.png" />', '<img\n  alt="a > b"\n  src="/a.png"\n>', '<img alt=">" src = "/a.png" >'],
      ...['<img/src="/a.png">', '<img src="/a.png" src="/b.png">'],
    ]) {
      const html = `<!doctype html><p>x${tag}y</p>`
      assert.deepEqual(tags(html), [tag])
      const [src] = textOf(html, [first(html).src])
      assert.match(src, /^src\s*=\s*["']?\/a\.png["']?$/i)
    }
  })

  it('is found in <template>, <noscript>, <picture> and tables, in order', () => {
    const html =
      '<noscript><img src=1></noscript><template><img src=2></template><picture><img src=3></picture><table><tr><td><img src=4></table>'
    assert.deepEqual(tags(html), ['<img src=1>', '<img src=2>', '<img src=3>', '<img src=4>'])
  })

  it('is not what comments, scripts, styles, attributes and other tags hold', () => {
    for (const html of [
      ...['<!-- <img src="/a.png"> -->', '<script>const a = \'<img src="/a.png">\'</script>', '<img alt="">'],
      ...['<style>/* <img src="/a.png"> */</style>', '<textarea><img src="/a.png"></textarea>'],
      ...['<title><img src="/a.png"></title>', '<a title="<img src=/a.png>">', '<svg><image href="/a.png"/></svg>'],
      ...['<imgx src="/a.png">', '<image src="/a.png">', '&lt;img src="/a.png"&gt;', '<img srcset="/a.png">'],
    ])
      assert.deepEqual(tags(html), [], html)
  })

  it('has a choice by a srcset or in a <picture>', () => {
    assert.equal(first('<img src="/a.png">').hasChoice, false)
    assert.equal(first('<img src="/a.png" srcset="/b.png 2x">').hasChoice, true)
    assert.equal(first('<picture><img src="/a.png"></picture>').hasChoice, true)
    assert.equal(first('<picture><p><img src="/a.png"></picture>').hasChoice, false)
  })

  it('has a size by attributes, by its style or by a choice of files', () => {
    const sized = attributes => first(`<img src="/a.png" ${attributes}>`).hasSize
    for (const attributes of [
      ...[
        'width=1',
        'HEIGHT="2"',
        'width',
        'style="width:50%"',
        'style="color:red; Height : 2px"',
        'srcset="/b.png 2x"',
      ],
      'width=1 height=2',
    ])
      assert.equal(sized(attributes), true, attributes)
    for (const attributes of ['', 'data-width=1', 'style="max-width:100%"', 'style="line-height:2"', 'alt="width=1"'])
      assert.equal(sized(attributes), false, attributes)
    assert.equal(first('<picture><img src="/a.png"></picture>').hasSize, true)
  })

  it('is found in broken HTML, and no text makes it throw', () => {
    assert.deepEqual(tags('</p><div><b><img src="/a.png"></i><table><img src="/b.png"'), ['<img src="/a.png">'])
    const deep = `${'<b>'.repeat(20_000)}<img src="/a.png">`
    assert.deepEqual(tags(deep), ['<img src="/a.png">'])
    for (const html of ['', '<', '<img', '<img src', '<img src=', '<img src="', '<!--', '\0', '<svg><img src=a'])
      assert.deepEqual(tags(html), [], html)
  })
})

describe('a picture', () => {
  const SIZE = 'width="640" height="480"'
  it('is put around the tag, however that is written, and gives it a size', () => {
    for (const tag of [
      '<img src="/a.png">',
      "<img src='/a.png'>",
      '<IMG SRC=/a.png>',
      '<img src="/a.png"/>',
      '<img/src="/a.png">',
    ])
      assert.equal(pictured(`<p>x${tag}y</p>`), `<p>x<picture>${SOURCES}<img ${SIZE} src="/a.png"></picture>y</p>`)
    assert.equal(
      pictured('<a href="/"><img alt="a > b" src="/a.png" class=x></a>'),
      `<a href="/"><picture>${SOURCES}<img ${SIZE} alt="a > b" src="/a.png" class="x"></picture></a>`,
    )
  })

  it('leaves an image that has width or height without the other', () => {
    assert.equal(
      pictured('<img src="/a.png" width="10">'),
      `<picture>${SOURCES}<img src="/a.png" width="10"></picture>`,
    )
    assert.equal(pictured('<img src="/a.png" height=9>'), `<picture>${SOURCES}<img src="/a.png" height="9"></picture>`)
  })

  it('without sources is none: only the size is added', () => {
    const size = { sources: [], size: PICTURE.size }
    assert.equal(pictured('<p><img src="/a.png"></p>', size), `<p><img ${SIZE} src="/a.png"></p>`)
    assert.equal(pictured('<p><img src="/a.png" width=1></p>', size), '<p><img src="/a.png" width="1"></p>')
    assert.deepEqual(pictureEdits(first('<img src="/a.png">'), { sources: [], size: null }), [])
  })

  it('is put around each of several, in templates too', () => {
    const plain = { sources: [PICTURE.sources[0]], size: null }
    const [source] = SOURCES.split('<source srcset="/a.webp"')
    assert.equal(
      pictured('<img src=1><template><img src=2></template><img src=3>', plain).replaceAll(source, 'S'),
      '<picture>S<img src="1"></picture><template><picture>S<img src="2"></picture></template><picture>S<img src="3"></picture>',
    )
  })

  it('has URLs that a srcset can hold', () => {
    const sources = [{ srcset: ' /my "new" hero.avif', type: 'image/avif' }]
    const html = pictured('<img src="/a.png">', { sources, size: null })
    assert.match(html, /<source srcset="\/my%20&quot;new&quot;%20hero\.avif" type="image\/avif">/)
  })
})
