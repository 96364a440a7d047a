// Shows that references to output files are found in whatever way a bundler writes them, that nothing else is taken for
// one, and that long texts cost little time.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyEdits } from '../esm/core/bundle.js'
import { bytesOfDataUrl, inlineImages, pathTo, ReferenceIndex } from '../esm/core/references.js'

const HERO = 'assets/hero-AbC_12-x.png'

const find = (text, from, names) => new ReferenceIndex(names).find(text, from)

/** The text with every reference renamed by `rename`. */
function rewrite(text, from, names, rename) {
  const edits = find(text, from, names).map(reference => {
    return { ...reference, text: pathTo(reference, from, rename(reference.fileName)) }
  })
  return applyEdits(text, edits)
}

const toAvif = name => name.replace(/\.[a-z]+$/i, '.avif')

/** Shows that the one reference in `text` becomes `expected`. */
function assertBecomes(text, expected, { from = 'index.html', names = [HERO], to = toAvif } = {}) {
  assert.equal(rewrite(text, from, names, to), expected, text)
}

const assertUntouched = (text, options) => assertBecomes(text, text, options)

describe('a path', () => {
  it('is found from the root, with a base, with a host, and relative', () => {
    for (const [from, path] of [
      ['index.html', `/${HERO}`],
      ['index.html', HERO],
      ['index.html', `./${HERO}`],
      ['index.html', `/sub/${HERO}`],
      ['index.html', `https://cdn.example.com/a/b/${HERO}`],
      ['index.html', `//cdn.example.com/${HERO}`],
      ['deep/er/index.html', `../../${HERO}`],
      ['deep/er/index.html', `/sub/${HERO}`],
      ['nested/index.html', `../${HERO}`],
      ['assets/main.js', HERO],
      ['assets/main.css', 'hero-AbC_12-x.png'],
      ['assets/main.css', './hero-AbC_12-x.png'],
      ['assets/css/main.css', '../hero-AbC_12-x.png'],
    ])
      assertBecomes(`"${path}"`, `"${toAvif(path)}"`, { from })
  })

  it('is written as it was when the file goes to another folder', () => {
    const to = () => 'img/hero.avif'
    for (const [from, path, expected] of [
      ['index.html', `/${HERO}`, '/img/hero.avif'],
      ['index.html', `https://cdn.example.com/a/${HERO}`, 'https://cdn.example.com/a/img/hero.avif'],
      ['index.html', `./${HERO}`, './img/hero.avif'],
      ['deep/index.html', `../${HERO}`, '../img/hero.avif'],
      ['assets/main.css', 'hero-AbC_12-x.png', '../img/hero.avif'],
      ['assets/main.css', './hero-AbC_12-x.png', './../img/hero.avif'],
      ['lib/main.js', `/../${HERO}`, '/../img/hero.avif'],
    ])
      assertBecomes(`'${path}'`, `'${expected}'`, { from, to })
  })

  it('is found behind __dirname, where a slash does not mean the root', () => {
    const names = ['lib/assets/hero.png', 'assets/hero.png']
    for (const before of ["__dirname + '/", '__dirname+"/', '`$' + '{__dirname}/']) {
      const [found] = find(`${before}assets/hero.png'`, 'lib/main.cjs', names)
      assert.equal(found.fileName, 'lib/assets/hero.png')
    }
  })

  it('is found in every place of HTML, CSS, JavaScript and JSON', () => {
    for (const text of [
      `<img src="/${HERO}">`,
      `<img src='/${HERO}'>`,
      `<img src=/${HERO}>`,
      `<img src=${HERO} alt="">`,
      `<img srcset="/${HERO} 1x, /other.png 2x">`,
      `<img srcset="/other.png 1x,/${HERO} 2x">`,
      `<img srcset="/other.png, ${HERO}">`,
      `<p style="background:url(&quot;${HERO}&quot;)">`,
      `<p style='background:url(&#39;/${HERO}&#39;)'>`,
      `<loc>https://example.com/${HERO}</loc>`,
      `a{background:url(/${HERO})}`,
      `a{background:url( "/${HERO}" )}`,
      `a{background:url('../${HERO}')no-repeat}`,
      `a{background:image-set(url(${HERO})1x,url(/x.png)2x)}`,
      `@import url("/${HERO}");`,
      `const a="/${HERO}",b=1`,
      `const a=new URL("${HERO}",import.meta.url).href`,
      `const a=\`<img src="/${HERO}">\``,
      `const a=\`/${HERO}\``,
      `const a=\`\${base}${HERO}\``,
      `const a=\`\${base}/${HERO}\``,
      `const a="<img src=\\"/${HERO}\\">"`,
      `const a='url(\\'${HERO}\\')'`,
      `{"file":"${HERO}"}`,
      `["${HERO}","/x"]`,
    ])
      assertBecomes(text, text.replace(HERO, toAvif(HERO)))
  })

  it('may go on with a query or a fragment', () => {
    for (const tail of ['?v=1', '#hash', '?#iefix', '?a=1&b=2#c']) {
      assertBecomes(`url(/${HERO}${tail})`, `url(/${toAvif(HERO)}${tail})`)
    }
  })

  it('is found with slashes escaped as JSON may have them', () => {
    const escaped = path => path.replaceAll('/', '\\/')
    for (const [from, path] of [
      ['data.json', `/${HERO}`],
      ['data.json', HERO],
      ['data.json', `https://cdn.example.com/${HERO}`],
      ['deep/data.json', `../${HERO}`],
      ['data.json', `./${HERO}`],
    ]) {
      const found = JSON.parse(rewrite(`{"a":"${escaped(path)}"}`, from, [HERO], toAvif))
      assert.deepEqual(found, { a: toAvif(path) })
    }
  })
})

describe('a percent-encoded path', () => {
  const names = ['my images/Füße & Hände@2x.png']
  const [name] = names
  it('is found and stays encoded', () => {
    assertBecomes(`url(/${encodeURI(name)})`, `url(/${encodeURI(toAvif(name))})`, { names })
    assertBecomes(`"./${encodeURI(name)}"`, `"./${encodeURI(toAvif(name))}"`, { names })
    const inside = { names, from: 'my images/a.css' }
    assertBecomes('url(F%C3%BC%C3%9Fe%20&%20H%C3%A4nde@2x.png)', `url(${encodeURI('Füße & Hände@2x.avif')})`, inside)
    assertBecomes('"my%20images/a.png"', '"my%20images/a.avif"', { names: ['my images/a.png'] })
  })

  it('is found plain, and with more encoded than has to be', () => {
    assertBecomes(`"/${name}"`, `"/${toAvif(name)}"`, { names })
    assertBecomes('"/a/icon%402x.png"', '"/a/icon@2x.avif"', { names: ['a/icon@2x.png'] })
  })

  it('is found in another folder with a space in its name', () => {
    const from = 'my styles/deep/a.css'
    const options = { from, names: ['my styles/my img/a.png'] }
    assertBecomes('url("../my img/a.png")', 'url("../my img/a.avif")', options)
    assertBecomes('url(../my%20img/a.png)', 'url(../my%20img/a.avif)', options)
  })
})

describe('no reference is', () => {
  it('a longer name, on either side', () => {
    const names = ['assets/hero.png', 'abc.png']
    for (const text of [
      ...['"/assets/xhero.png"', '"/assets/hero.png.map"', '"/assets/hero.pngx"', '"/assets/my-hero.png"'],
      ...['"/assets/hero.png-1"', '"/assets/hero_png"', '"hero-abc.png"', '"xabc.png"', '"/assets/hero.png/x"'],
      ...[
        '"x/assets-hero.png"',
        'assets/hero.pngs',
        '"myassets/hero.png"',
        '"/assets/hero%2Epng"',
        '"/assets/éhero.png"',
      ],
      '"/assets/hero.PNG"',
    ])
      assertUntouched(text, { names })
  })

  it('another folder, where the name is in the root', () => {
    assertUntouched('"images/logo.png"', { names: ['logo.png'] })
    assertUntouched('"../images/logo.png"', { names: ['logo.png'] })
    assertBecomes('"../logo.png"', '"../logo.avif"', { names: ['logo.png'], from: 'a/main.js' })
    assertBecomes('"/logo.png"', '"/logo.avif"', { names: ['logo.png'] })
    assertBecomes('"https://example.com/x/logo.png"', '"https://example.com/x/logo.avif"', { names: ['logo.png'] })
  })

  it('in an index without names', () => {
    assert.equal(new ReferenceIndex([]).size, 0)
    assertUntouched('"/assets/a.png"', { names: [] })
  })
})

describe('the same base name', () => {
  const pairs = [
    ['logo.png', 'img/logo.png'],
    ['img/logo.png', 'logo.png'],
  ]
  const fileOf = (text, from, names) => find(text, from, names).map(({ fileName }) => fileName)

  it('in two folders is told apart, whichever comes first', () => {
    for (const names of pairs) {
      assert.deepEqual(fileOf('"/img/logo.png" "/logo.png"', 'index.html', names), ['img/logo.png', 'logo.png'])
      assert.deepEqual(fileOf('url(logo.png) url(../logo.png)', 'img/a.css', names), ['img/logo.png', 'logo.png'])
      assert.deepEqual(fileOf('"https://x.org/b/img/logo.png"', 'index.html', names), ['img/logo.png'])
    }
  })

  it('is relative first, as browsers read it', () => {
    for (const names of [
      ['img/logo.png', 'a/img/logo.png'],
      ['a/img/logo.png', 'img/logo.png'],
    ]) {
      assert.deepEqual(fileOf('url(img/logo.png)', 'a/style.css', names), ['a/img/logo.png'])
      assert.deepEqual(fileOf('url(../img/logo.png)', 'a/style.css', names), ['img/logo.png'])
      assert.deepEqual(fileOf('url(/a/img/logo.png)', 'a/style.css', names), ['a/img/logo.png'])
      assert.deepEqual(fileOf('url(/img/logo.png)', 'a/style.css', names), ['img/logo.png'])
    }
  })

  it('at the end of a name with spaces is not taken for it', () => {
    for (const names of [
      ['2024.png', 'Shot 2024.png'],
      ['Shot 2024.png', '2024.png'],
    ])
      assert.deepEqual(fileOf('"/Shot 2024.png" "2024.png"', 'index.html', names), ['Shot 2024.png', '2024.png'])
    assert.deepEqual(fileOf('"a.png b.png"', 'index.html', ['a.png', 'a.png b.png']), ['a.png b.png'])
  })
})

/** A generator of numbers from 0 to 1 that starts with `seed` (mulberry32). */
function random(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const FOLDERS = ['', 'assets/', 'assets/img/', 'my files/', 'ä/b/']
const STEMS = ['hero', 'a', 'logo-2x', 'Füße', 'with space', 'x.y', "it's", 'a(1)', 'b@2x', '50%']
const NOISE = [
  'var a=1;',
  ' ',
  '\n',
  '/*.png*/',
  '.png',
  'hero.png.map ',
  '"xa.png-"',
  '{}',
  '💚',
  '\\u0041',
  '%',
  'é/',
]
const FRAMES = ['"#"', "'#'", 'url("#")', '`#`', '("#?v=1")', '"##x"']

/** A random text with references in it, and what it has to become. */
function planted(seed) {
  const next = random(seed)
  const pick = list => list[Math.floor(next() * list.length)]
  const names = [
    ...new Set(Array.from({ length: 12 }, () => `${pick(FOLDERS)}${pick(STEMS)}${pick(['.png', '.jpg'])}`)),
  ]
  const base = pick(['/', '/sub/dir/', 'https://cdn.example.com/x/', '', './'])
  const parts = Array.from({ length: 200 }, () => {
    if (next() < 0.6) return Array(2).fill(pick(NOISE))
    const [name, frame] = [pick(names), pick(FRAMES)]
    // A name with quotes stands between others.
    if (name.includes("'") && frame.includes("'")) return ['', '']
    const write = pick([String, encodeURI])
    return [name, `${name}!`].map((file, index) => {
      const path = base + write(file.replace('!', ''))
      return frame.replace('#', () => (index === 0 ? path : base + write(toAvif(name))))
    })
  })
  return { names, text: parts.map(([a]) => a).join(' '), expected: parts.map(([, b]) => b).join(' ') }
}

describe('texts at random', () => {
  it('have every planted reference rewritten, and nothing else', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { names, text, expected } = planted(seed)
      assert.equal(rewrite(text, 'index.html', names, toAvif), expected, `seed ${seed}`)
    }
  })

  it('of any characters end soon and give ranges in order', () => {
    const names = ['a.png', 'b/a.png', 'a b.png', 'b/%.png']
    const alphabet = ['a', 'b', '.png', '/', '\\/', '.', './', '../', '"', ' ', '%20', '%', '}', '(', 'https:']
    const next = random(7)
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: 40 }, () => alphabet[Math.floor(next() * alphabet.length)]).join('')
      let last = 0
      for (const { start, end } of find(text, 'b/x.css', names)) {
        assert.ok(start >= last && end > start && end <= text.length, text)
        last = end
      }
    }
  })
})

describe('data URLs', () => {
  it('of the formats that are read are found with their bytes', () => {
    const url = type => `data:image/${type};base64,${Buffer.from(type).toString('base64')}`
    const types = ['png', 'jpeg', 'jpg', 'gif', 'webp', 'avif']
    const text = types.map(type => `url(${url(type)})`).join(',')
    const found = inlineImages(`${text} ${url('svg+xml')} ${url('x-icon')} data:image/png,abc`)
    assert.deepEqual(
      found.map(({ url: each }) => bytesOfDataUrl(each).toString()),
      types,
    )
    for (const { start, end, url: each } of found) assert.equal(text.slice(start, end), each)
  })
})

describe('time', () => {
  const MAX_MS = 250
  const names = Array.from(
    { length: 500 },
    (_, i) => `assets/picture-${i}-${(i * 7919).toString(36).padStart(8, 'x')}.png`,
  )

  /** The fastest of several calls in milliseconds, and what it found. */
  function fastest(text, from) {
    const index = new ReferenceIndex(names)
    let ms = Number.POSITIVE_INFINITY
    let found = []
    for (let run = 0; run < 5; run++) {
      const started = performance.now()
      found = index.find(text, from)
      ms = Math.min(ms, performance.now() - started)
    }
    return { ms, found }
  }

  it('for 5 MB of minified code with 500 names is short', t => {
    const filler = 'function e(t,n){return t.a?n.b(".png"):`/x.js`}var r=Object.assign({},{q:1,s:"#"});'
    const text = names.map(name => `${filler.repeat(120)}const u="/${name}";`).join('')
    assert.ok(text.length > 4_800_000)
    const { ms, found } = fastest(text, 'assets/index.js')
    assert.equal(found.length, names.length)
    t.diagnostic(`${(text.length / 1e6).toFixed(1)} MB, ${found.length} references: ${ms.toFixed(1)} ms`)
    assert.ok(ms < MAX_MS, `${ms} ms`)
  })

  it('grows with the length of the text, however it looks', t => {
    for (const [title, unit] of Object.entries({
      'names without end': `/x/${names[0].slice(7)}&`,
      'slashes without end': '/'.repeat(50),
      'extensions without end': '.png',
      'base64 without end': 'data:image/png;base64,AAAABBBBCCCCDDDD',
    })) {
      const { ms } = fastest(unit.repeat(Math.ceil(1e6 / unit.length)), 'assets/index.js')
      t.diagnostic(`1 MB of ${title}: ${ms.toFixed(1)} ms`)
      assert.ok(ms < 4 * MAX_MS, `${title}: ${ms} ms`)
    }
  })
})
