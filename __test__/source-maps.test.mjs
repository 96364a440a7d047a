// Shows that the source map of a chunk stays right when references in its text change their length.
import assert from 'node:assert/strict'
import { SourceMap } from 'node:module'
import { describe, it } from 'node:test'
import MagicString, { Bundle, SourceMap as WrittenMap } from 'magic-string'
import { applyEdits } from '../esm/core/bundle.js'
import { mapOfEdits } from '../esm/core/source-map.js'

const SOURCES = {
  'b.js': 'export const hero = "/assets/hero.png"\nexport function show(size) {\n  return size + hero\n}\n',
  'a.js':
    'import { hero } from "./b.js"\nconst other = "/assets/other.png", third = "/assets/third.png"\nconsole.log(hero, other, third)\n',
}

/** Both sources as a bundler puts them together; on one line if it is minified. */
function bundled(minified) {
  const bundle = new Bundle({ separator: minified ? ';' : '\n' })
  for (const [filename, content] of Object.entries(SOURCES)) {
    const text = new MagicString(content, { filename })
    for (const { index, 0: found } of content.matchAll(/import .*\n|export /g)) text.remove(index, index + found.length)
    if (minified) for (const { index } of content.matchAll(/\n/g)) text.overwrite(index, index + 1, ' ')
    bundle.addSource({ filename, content: text })
  }
  return bundle
}

function chunk(minified) {
  const bundle = bundled(minified)
  const map = JSON.parse(bundle.generateMap({ hires: 'boundary', includeContent: true }).toString())
  return { code: bundle.toString(), map }
}

/** The same, with the sources of its map in another order. */
function chunkOf(order) {
  const { code, map } = chunk(false)
  const mappings = bundled(false)
    .generateDecodedMap({ hires: 'boundary' })
    .mappings.map(line =>
      line.map(([column, source, ...rest]) => [column, order.indexOf(map.sources[source]), ...rest]),
    )
  const sourcesContent = order.map(source => SOURCES[source] ?? null)
  const turned = new WrittenMap({ ...map, sources: order, sourcesContent, mappings })
  return { code, map: JSON.parse(turned.toString()) }
}

/** Edits of every path in the text, of the same, of smaller or of greater length by `change`. */
const editsOf = (code, change) =>
  [...code.matchAll(/\/assets\/\w+\.png/g)].map(({ index, 0: path }, place) => {
    return { start: index, end: index + path.length, text: change(path, place) }
  })

/** Source, line and column of a place in a text, both from 0. */
function originOf(map, code, index) {
  const before = code.slice(0, index).split('\n')
  const { originalSource, originalLine, originalColumn } = new SourceMap(map).findEntry(
    before.length - 1,
    before.at(-1).length,
  )
  return { source: originalSource, line: originalLine, column: originalColumn }
}

/** Where a word stands in its source. */
function placeOf(source, word) {
  const before = SOURCES[source].slice(0, SOURCES[source].indexOf(word)).split('\n')
  return { source, line: before.length - 1, column: before.at(-1).length }
}

const WORDS = {
  show: 'b.js',
  size: 'b.js',
  return: 'b.js',
  'const other': 'a.js',
  third: 'a.js',
  'console.log': 'a.js',
}
const CHANGES = {
  'longer paths': path => path.replace('.png', '-AbCdEfGh_1234567.avif'),
  'shorter paths': () => '/x.webp',
  'paths of the same length': path => path.replace('png', 'gif'),
  'paths of every length': (path, place) => ['/a', `${path}${'x'.repeat(300)}`, '/bc.avif'][place],
}

function assertRight({ code, map }, edits) {
  const edited = applyEdits(code, edits)
  const moved = mapOfEdits(code, edits, map)
  for (const [word, source] of Object.entries(WORDS)) {
    assert.deepEqual(originOf(moved, edited, edited.indexOf(word)), placeOf(source, word), word)
  }
  // A path begins where it began: in the string that holds it.
  const at = edited.indexOf('"', edited.indexOf('third ='))
  assert.deepEqual(originOf(moved, edited, at), placeOf('a.js', '"/assets/third'))
}

describe('a map', () => {
  for (const minified of [false, true])
    for (const [title, change] of Object.entries(CHANGES))
      it(`is right with ${title} on ${minified ? 'one line' : 'several lines'}`, () => {
        const made = chunk(minified)
        assert.equal(made.code.trimEnd().split('\n').length > 1, !minified)
        assertRight(made, editsOf(made.code, change))
      })

  it('is right with insertions, and with edits that touch', () => {
    const made = chunk(true)
    const start = made.code.indexOf('/assets/other.png')
    assertRight(made, [
      { start: 0, end: 0, text: '/* first */' },
      { start, end: start, text: 'https://cdn.example.com' },
      { start, end: start + 8, text: '/' },
      { start: start + 8, end: start + 17, text: 'o.avif' },
    ])
  })

  it('keeps everything but its mappings: other fields refer to sources by their place', () => {
    // A source without mappings, and an order that is not the text's.
    const made = chunkOf(['unused.js', 'a.js', 'b.js'])
    const map = { ...made.map, x_google_ignoreList: [0], file: 'chunk.js' }
    const edits = editsOf(made.code, CHANGES['longer paths'])
    const { mappings, ...rest } = mapOfEdits(made.code, edits, map)
    const { mappings: before, ...expected } = map
    assert.notEqual(mappings, before)
    assert.deepEqual(rest, expected)
    assertRight({ ...made, map }, edits)
  })

  it('has names where it had them', () => {
    const code = 'a("/assets/hero.png",b)'
    const source = 'first("/assets/hero.png", second)'
    const text = new MagicString(source)
    text.overwrite(0, 5, 'a', { storeName: true })
    text.overwrite(26, 32, 'b', { storeName: true })
    text.remove(25, 26)
    const map = JSON.parse(text.generateMap({ source: 'x.js', hires: true }).toString())
    assert.equal(text.toString(), code)
    const edits = editsOf(code, () => '/assets/a-much-longer-name.avif')
    const edited = applyEdits(code, edits)
    const { name, originalColumn } = new SourceMap(mapOfEdits(code, edits, map)).findEntry(0, edited.indexOf('b)'))
    assert.deepEqual({ name, originalColumn }, { name: 'second', originalColumn: 26 })
  })
})
