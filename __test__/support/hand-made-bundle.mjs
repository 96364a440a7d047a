// Bundles made by hand, with real pictures, for the tests of what becomes of a bundle.
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { applyEdits, BundlePass } from '../../esm/core/bundle.js'
import { sniff } from '../../esm/core/formats.js'
import { fillTemplate, withExtension } from '../../esm/core/naming.js'
import { Optimizer } from '../../esm/core/optimizer.js'
import { resolveOptions } from '../../esm/core/options.js'

export const optimizerOf = options =>
  new Optimizer(resolveOptions({ cache: false, report: false, effort: 'fast', ...options }), process.cwd())

/** A name as bundlers give it: with a hash in the place of `#`, or without. */
export function renaming(pattern) {
  return (hash, ext) => {
    if (!pattern.includes('#')) return withExtension(pattern, ext)
    return fillTemplate(withExtension(pattern, ext).replace('#', '[hash]'), { name: '', hash, ext }, 'rollup')
  }
}

export const nameOf = pattern => pattern.replace('#', 'OLDHASH1')

/** An image of a bundle; its old name has OLDHASH1 for `#`. */
export const image = (pattern, bytes, more = {}) => {
  const fileName = nameOf(pattern)
  return { fileName, bytes, source: `src/${posix.basename(pattern)}`, rename: renaming(pattern), ...more }
}

export function roleOf(fileName) {
  if (fileName.endsWith('.html')) return 'html'
  if (/\.(?:webmanifest|xml)$/.test(fileName)) return 'keep-format'
  return fileName.endsWith('.json') ? 'listing' : 'code'
}

export const text = (pattern, content) => {
  const rename = pattern.endsWith('.css') ? renaming(pattern) : null
  return { fileName: nameOf(pattern), text: content.replaceAll('#', 'OLDHASH1'), rename, role: roleOf(pattern) }
}

/** The bundle after a pass: files by name (images as bytes, texts as strings), and what was recorded. */
export async function run(images, texts, { optimizer = optimizerOf({}), sourceOf } = {}) {
  const files = new Map([
    ...images.map(({ fileName, bytes }) => [fileName, bytes]),
    ...texts.map(({ fileName, text: content }) => [fileName, content]),
  ])
  const changes = await new BundlePass(optimizer, images, texts, name => files.has(name), sourceOf).run()
  for (const name of changes.files.keys()) assert.ok(!changes.removed.has(name), name)
  for (const [name, edits] of changes.edits) {
    const edited = applyEdits(files.get(name), edits)
    files.delete(name)
    files.set(changes.renamed.get(name) ?? name, edited)
  }
  for (const name of changes.removed) files.delete(name)
  for (const [name, bytes] of changes.files) files.set(name, bytes)
  return { files, changes, optimizer, records: optimizer.records }
}

export const byExtension = (files, ext) => [...files.keys()].filter(name => name.endsWith(ext)).sort()
export const formats = files =>
  Object.fromEntries(
    [...files].filter(([, each]) => typeof each !== 'string').map(([name, bytes]) => [name, sniff(bytes)]),
  )

/** The only file with an extension: its name. */
export function only(files, ext) {
  const names = byExtension(files, ext)
  assert.equal(names.length, 1, `${ext}: ${names}`)
  return names[0]
}
