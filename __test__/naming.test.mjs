// Shows that names are made from templates as the bundlers make them, and are read back.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { extensionOf, fillTemplate, readName, uniqueName, withExtension } from '../esm/core/naming.js'

const HASH = 'Ab-_0123456789abcdefghijklmnopqrstuvwxyzABCDE'
const PARTS = { name: 'hero', hash: HASH, ext: 'avif' }

describe('a template', () => {
  it('of Rollup has [ext] without a dot', () => {
    for (const [template, expected] of [
      ['assets/[name]-[hash][extname]', 'assets/hero-Ab-_0123.avif'],
      ['[name].[hash:6][extname]', 'hero.Ab-_01.avif'],
      ['static/[ext]/[name]-[hash][extname]', 'static/avif/hero-Ab-_0123.avif'],
      ['[hash][extname]', 'Ab-_0123.avif'],
      ['[name][extname]', 'hero.avif'],
      ['img/[name]-[hash:16].[ext]', 'img/hero-Ab-_0123456789ab.avif'],
      ['plain.bin', 'plain.bin'],
      ['[name]-[name].[ext]', 'hero-hero.avif'],
      ['[unknown]/[name].[ext]', '[unknown]/hero.avif'],
    ])
      assert.equal(fillTemplate(template, PARTS, 'rollup'), expected)
  })

  it('of webpack has [ext] with a dot', () => {
    for (const [template, expected] of [
      ['[hash][ext][query]', 'Ab-_0123.avif'],
      ['assets/[name].[contenthash:8][ext]', 'assets/hero.Ab-_0123.avif'],
      ['[path][name][ext][query][fragment]', 'hero.avif'],
      ['img/[base]', 'img/hero.avif'],
      ['[HASH:4][ext]', '[HASH:4].avif'],
    ])
      assert.equal(fillTemplate(template, PARTS, 'webpack'), expected)
  })

  it('takes names as they are', () => {
    for (const name of ['$&', '[hash]', '$1', 'ä b', "it's (1)"])
      assert.equal(fillTemplate('[name]-[hash:4].[ext]', { ...PARTS, name }, 'rollup'), `${name}-Ab-_.avif`)
  })
})

describe('a name', () => {
  const NAMES = [
    'hero',
    'a',
    'my-hero',
    'hero-abcdefgh',
    'a.b',
    'x--y',
    '-',
    'ä b',
    'hero-AbC_12-x',
    '12345678',
    'a+b(1)$',
  ]
  const TEMPLATES = [
    ...['[name]-[hash][extname]', 'assets/[name].[hash:6][extname]', 'static/[ext]/[name]-[hash][extname]'],
    ...['[name][extname]', 'a/[hash]-[name][extname]', '[name]-[hash:16].[ext]', 'x.[hash][name][extname]'],
    ...['[name]-[name].[ext]', '[base]', '[name]_[hash]_v1.[ext]', '[hash]/[name].[ext]'],
  ]

  it('is read back through the template that made it', () => {
    for (const template of TEMPLATES)
      for (const name of NAMES)
        for (const hash of [HASH, '________________', '-0-0-0-0-0-0-0-0', 'aaaaaaaaaaaaaaaa']) {
          const fileName = fillTemplate(template, { name, hash, ext: 'png' }, 'rollup')
          assert.equal(readName(fileName, template)?.name, name, `${fileName} by ${template}`)
        }
  })

  it('says whether the file was named by its content', () => {
    const hashed = (fileName, template) => readName(fileName, template)?.hashed
    assert.equal(hashed('assets/hero-Ab-_0123.png', 'assets/[name]-[hash][extname]'), true)
    assert.equal(hashed('Ab-_0123.png', '[hash][extname]'), true)
    assert.equal(hashed('hero.png', '[name][extname]'), false)
    assert.equal(hashed('hero.Ab-_01.png', '[name].[hash:6][extname]'), true)
  })

  it('of a template with a hash alone is empty', () => {
    assert.deepEqual(readName('x/Ab-_0123.png', 'x/[hash][extname]'), { name: '', hashed: true })
  })

  it('that was given by hand does not fit', () => {
    const template = 'assets/[name]-[hash][extname]'
    for (const fileName of ['logo.png', 'apple-touch-icon.png', 'hero-12345.png', 'a/b-123456789', 'hero-1234567!.png'])
      assert.equal(readName(fileName, template), null, fileName)
    assert.equal(readName('hero-Ab-_0123.png', '[name].[hash][extname]'), null)
    assert.equal(readName('xAb-_0123.png', '[hash][extname]'), null)
  })
})

describe('a unique name', () => {
  it('is the name itself, or the first that is free', () => {
    const taken = new Set(['a/b.png', 'a/b2.png', 'c.png', 'noext'])
    const unique = name => uniqueName(name, each => taken.has(each))
    assert.equal(unique('a/x.png'), 'a/x.png')
    assert.equal(unique('a/b.png'), 'a/b3.png')
    assert.equal(unique('c.png'), 'c2.png')
    assert.equal(unique('noext'), 'noext2')
  })
})

describe('an extension', () => {
  it('is read and replaced at the end of the name alone', () => {
    assert.deepEqual(['a/b.png', 'a.b/c', '.png', 'x.tar.GZ'].map(extensionOf), ['png', '', '', 'GZ'])
    assert.equal(withExtension('a.b/c.d.png', 'avif'), 'a.b/c.d.avif')
    assert.equal(withExtension('/a/c.png', 'avif'), '/a/c.avif')
  })
})
