// Shows which queries of imports are understood and how others are refused, which files a <picture> lists, and what the
// module of such an import gives.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filesOfPlan, parseImageQuery, pictureModule, plainPictureModule, planPicture } from '../esm/core/picture.js'

const DEFAULTS = { widths: [], formats: null, placeholder: 'thumbhash' }
const picture = request => ({ kind: 'picture', request: { ...DEFAULTS, ...request } })

describe('a query', () => {
  it('is read, in any order', () => {
    for (const [query, expected] of [
      ['picture', {}],
      ['picture=', {}],
      ['w=480;960&picture', { widths: [480, 960] }],
      ['picture&w=480,960', { widths: [480, 960] }],
      ['picture&w=480%3B960', { widths: [480, 960] }],
      ['picture&w=960;480;960;480', { widths: [480, 960] }],
      ['picture&w=1;65535', { widths: [1, 65_535] }],
      ['format=webp&w=7&picture', { widths: [7], formats: ['webp'] }],
      ['picture&format=jpeg;avif', { formats: ['jpeg', 'avif'] }],
      ['picture&format=avif,webp,jpeg,png', { formats: ['avif', 'webp', 'jpeg', 'png'] }],
      ['placeholder=blur&picture', { placeholder: 'blur' }],
      ['picture&placeholder=color', { placeholder: 'color' }],
      ['picture&placeholder=none', { placeholder: null }],
      ['t=1700000000000&picture', {}],
      [`picture&w=${Array.from({ length: 32 }, (_, i) => i + 1).join(';')}`, { widths: range(1, 32) }],
    ])
      assert.deepEqual(
        parseImageQuery(`/a/hero.jpg?${query}`),
        { file: '/a/hero.jpg', query: picture(expected) },
        query,
      )
  })

  it('for the smallest file leaves keys of others alone', () => {
    for (const query of ['smallest', 'v=abc&smallest', 'smallest&t=1', 'smallest=&import'])
      assert.deepEqual(parseImageQuery(`a.png?${query}`), { file: 'a.png', query: { kind: 'smallest' } })
  })

  it('of another kind is none of ours', () => {
    for (const id of [
      'a.png',
      'a.png?',
      'a.png?url',
      'a.png?raw&w=1',
      'a.png?pictures',
      'a.png?x=picture',
      'picture',
      '',
    ])
      assert.equal(parseImageQuery(id), null, id)
  })

  it('comes behind any path', () => {
    for (const file of [
      'C:\\img\\a b.png',
      './ä/b.jpg',
      '/x/a&b=picture.png',
      '/x/smallest/a.png',
      '@alias/a+b.png',
      '',
    ])
      assert.equal(parseImageQuery(`${file}?picture`).file, file)
  })

  it('that is wrong is refused with its option, what was expected and what came', () => {
    for (const [query, option, received] of [
      ...['0', '-1', '1.5', '65536', 'x', '', '480;', '480;;960', '480 960', 'NaN', '1e3', '0x10', ' 480'].map(w => [
        `w=${w}`,
        'w',
        w,
      ]),
      [`w=${range(1, 33).join(';')}`, 'w', range(1, 33).join(';')],
      ...['gif', '', 'avif;avif', 'jpg', 'AVIF', 'avif;', 'constructor'].map(format => [
        `format=${format}`,
        'format',
        format,
      ]),
      ...['', 'thumb', 'true', 'Blur'].map(value => [`placeholder=${value}`, 'placeholder', value]),
      ['width=480', 'width', 'width'],
      ['url', 'url', 'url'],
      ['w=480&w=960', 'w', '480&960'],
      ['v=1', 'v', 'v'],
      ['__proto__=1', '__proto__', '__proto__'],
    ]) {
      assert.throws(
        () => parseImageQuery(`a.png?picture&${query}`),
        error => {
          assert.equal(error.code, 'ERR_PIXRACE_INVALID_OPTION')
          assert.equal(error.option, `?picture&${option}`)
          assert.equal(error.received, received)
          assert.ok(
            error.message.includes(`\`?picture&${option}\`: expected `) && error.message.includes(`'${received}'`),
          )
          return true
        },
        query,
      )
    }
  })

  it('for the smallest file is refused with keys of a picture', () => {
    for (const [query, key] of [
      ['smallest&w=480', 'w'],
      ['picture&smallest', 'picture'],
      ['format=avif&smallest', 'format'],
    ]) {
      const expected = { code: 'ERR_PIXRACE_INVALID_OPTION', option: `?smallest&${key}`, received: key }
      assert.throws(() => parseImageQuery(`a.png?${query}`), expected)
    }
  })
})

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** An encoded image with a file of so many bytes. */
const image = (format, width, bytes) => ({ format, width, height: width / 2, data: Buffer.alloc(bytes) })
const plan = (...images) => planPicture({ images })

/** A plan in a few words: 'avif 480 960 | webp 480 960 > jpeg 480 960'. */
function shown({ sources, fallback }) {
  const words = ({ format, images }) => [format, ...images.map(({ width }) => width)].join(' ')
  return [...sources.map(words), `> ${words(fallback)}`].join(' ')
}

describe('a plan', () => {
  it('lists what few browsers know first, and what all know in <img>', () => {
    assert.equal(
      shown(plan(image('jpeg', 9, 300), image('avif', 9, 100), image('webp', 9, 200))),
      'avif 9 webp 9 > jpeg 9',
    )
    assert.equal(shown(plan(image('webp', 9, 200), image('avif', 9, 100))), 'avif 9 > webp 9')
    assert.equal(shown(plan(image('avif', 9, 100))), '> avif 9')
  })

  it('lists a format only if it is smaller than all that follow', () => {
    const three = (avif, webp, jpeg) =>
      shown(plan(image('avif', 9, avif), image('webp', 9, webp), image('jpeg', 9, jpeg)))
    assert.equal(three(200, 100, 300), 'webp 9 > jpeg 9')
    assert.equal(three(100, 300, 200), 'avif 9 > jpeg 9')
    assert.equal(three(300, 300, 300), '> jpeg 9')
    assert.equal(three(200, 200, 300), 'webp 9 > jpeg 9')
    assert.equal(three(400, 299, 300), 'webp 9 > jpeg 9')
  })

  it('takes the smaller of PNG, JPEG and GIF for <img>, and no other of them', () => {
    assert.equal(shown(plan(image('png', 9, 300), image('jpeg', 9, 200), image('webp', 9, 100))), 'webp 9 > jpeg 9')
    assert.equal(shown(plan(image('png', 9, 100), image('jpeg', 9, 200), image('avif', 9, 50))), 'avif 9 > png 9')
    assert.equal(shown(plan(image('gif', 9, 100), image('webp', 9, 50))), 'webp 9 > gif 9')
  })

  it('compares formats by all their widths together, and sorts them', () => {
    assert.equal(
      shown(plan(image('webp', 20, 50), image('jpeg', 20, 60), image('webp', 10, 20), image('jpeg', 10, 15))),
      'webp 10 20 > jpeg 10 20',
    )
  })

  it('drops formats that miss a width: with alpha a PNG remains', () => {
    assert.equal(
      shown(
        plan(
          image('avif', 10, 1),
          image('avif', 20, 2),
          image('jpeg', 20, 3),
          image('png', 10, 9),
          image('png', 20, 9),
        ),
      ),
      'avif 10 20 > png 10 20',
    )
    assert.equal(shown(plan(image('avif', 10, 1), image('png', 10, 5), image('png', 20, 9))), '> png 10 20')
  })

  it('has something for <img> where no format has every width', () => {
    const { fallback } = plan(image('avif', 10, 1), image('jpeg', 20, 3))
    assert.equal(fallback.format, 'jpeg')
  })

  it('that is random keeps these rules', () => {
    const rank = { avif: 0, webp: 1, jpeg: 2, png: 2, gif: 2 }
    for (let seed = 0; seed < 1000; seed++) {
      const size = index => 1 + ((seed * 7919 + index * 104_729) % 97)
      const images = Object.keys(rank)
        .filter((_, index) => (seed >> index) % 2 === 1)
        .map((format, index) => image(format, 9, size(index)))
      if (images.length === 0) continue
      const { sources, fallback } = planPicture({ images })
      const chain = [...sources, fallback]
      for (const [index, { bytes, format }] of chain.entries()) {
        const next = chain[index + 1]
        if (next) assert.ok(bytes < next.bytes && rank[format] < rank[next.format])
      }
      assert.equal(rank[fallback.format], Math.max(...images.map(({ format }) => rank[format])))
      // Who knows all formats gets the smallest file.
      assert.equal(chain[0].bytes, Math.min(...images.map(({ data }) => data.length)))
    }
  })
})

const FULL = plan(
  ...[image('avif', 480, 10), image('avif', 960, 20), image('webp', 480, 20), image('webp', 960, 30)],
  ...[image('jpeg', 480, 40), image('jpeg', 960, 50)],
)

describe('the files of a plan', () => {
  it('have their width in their names where there are several', () => {
    const names = filesOfPlan(FULL, 'hero').map(({ name, ext }) => `${name}.${ext}`)
    const expected = ['avif', 'webp', 'jpg'].flatMap(ext => [`hero-480.${ext}`, `hero-960.${ext}`])
    assert.deepEqual(names, expected)
    const single = plan(image('png', 9, 30), image('webp', 9, 20))
    assert.deepEqual(
      filesOfPlan(single, 'a').map(({ name, ext }) => `${name}.${ext}`),
      ['a.webp', 'a.png'],
    )
  })
})

/** What a module exports. */
const evaluate = code => import(`data:text/javascript,${encodeURIComponent(code)}`)
const urlOf = ({ format, width }) => `"/" + ${JSON.stringify(`hero-${width}.${format}`)}`

describe('a module', () => {
  it('has sources in order, the largest file for <img>, and a placeholder', async () => {
    const module = await evaluate(pictureModule(FULL, 'data:image/webp;base64,"</script>', urlOf))
    const srcset = format => `/hero-480.${format} 480w, /hero-960.${format} 960w`
    const expected = {
      sources: [
        { srcset: srcset('avif'), type: 'image/avif' },
        { srcset: srcset('webp'), type: 'image/webp' },
      ],
      img: { src: '/hero-960.jpeg', width: 960, height: 480, srcset: srcset('jpeg') },
      placeholder: 'data:image/webp;base64,"</script>',
    }
    assert.deepEqual({ ...module }, { ...expected, default: expected })
  })

  it('of one width has no srcset for <img>, and of one format no sources', async () => {
    const one = await evaluate(pictureModule(plan(image('jpeg', 9, 2), image('avif', 9, 1)), null, urlOf))
    assert.deepEqual(one.img, { src: '/hero-9.jpeg', width: 9, height: 4.5 })
    assert.equal(one.sources.length, 1)
    assert.match(one.sources[0].srcset, /^\/hero-9\.avif\b/)
    assert.equal(one.placeholder, null)
    const { sources } = await evaluate(pictureModule(plan(image('jpeg', 9, 2)), '#aabbcc', urlOf))
    assert.deepEqual(sources, [])
  })

  it('of a file that stays has the same shape', async () => {
    const module = await evaluate(plainPictureModule('"/hero.jpg"', { width: 3, height: 2 }))
    const expected = { sources: [], img: { src: '/hero.jpg', width: 3, height: 2 }, placeholder: null }
    assert.deepEqual({ ...module }, { ...expected, default: expected })
    const unknown = await evaluate(plainPictureModule('"/x"', null))
    assert.deepEqual(unknown.img, { src: '/x', width: 0, height: 0 })
  })
})
