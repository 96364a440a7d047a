// The sites of examples/, built in a folder of their own with the packed pixrace.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPacked } from './packed.mjs'

const run = promisify(execFile)
const support = dirname(fileURLToPath(import.meta.url))
const examples = join(dirname(dirname(support)), 'examples')
const CHILD_FILES = ['site-child.mjs', 'site-originals.mjs', 'site-originals-loader.cjs']
const PACKAGES = [
  ...['vite', 'vite7', 'rollup', 'webpack', '@rspack/core', 'react', 'react-dom', '@web/rollup-plugin-html'],
  ...['html-webpack-plugin', 'html-loader', 'css-loader', 'mini-css-extract-plugin', 'copy-webpack-plugin'],
]

/** The folder of the example that each bundler builds. */
const SITES = { vite: 'vite', vite7: 'vite', rollup: 'rollup', webpack: 'webpack', rspack: 'rspack' }
export const BUNDLERS = Object.keys(SITES)

export const isImageFile = name => /\.(?:avif|webp|jpe?g|png|gif)$/.test(name)

/** All files below a folder: their bytes by their path. */
export function filesBelow(folder) {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = entries.map(entry => join(entry.parentPath, entry.name)).sort()
  return new Map(paths.map(path => [path.slice(folder.length + 1).replaceAll('\\', '/'), fs.readFileSync(path)]))
}

export const digestOf = bytes => createHash('sha256').update(bytes).digest('base64url')

/**
 * A new folder with the examples and pixrace. `build(job)` builds a site there: `bundler`; `options` of pixrace, null for a
 * build without it; `base`; `site`, another's example; `entry`, a module in the
 * place of the site; `ssr`, the same for a server; `inlineLimit`. It gives
 * `{ folder, files }`, `files` being bytes by name. All builds use one cache, unless the options say otherwise. `write(path, text)`
 * adds a file.
 */
export async function openSites() {
  const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pixrace-sites-')))
  await installPacked(root, PACKAGES)
  fs.cpSync(examples, root, { recursive: true, filter: path => !/node_modules|[\\/]dist$/.test(path) })
  for (const name of CHILD_FILES) fs.copyFileSync(join(support, name), join(root, name))
  // What is built for a server runs from there.
  fs.mkdirSync(join(root, 'out'))
  fs.writeFileSync(join(root, 'out', 'package.json'), '{ "type": "module" }')
  let count = 0

  async function build({ env = {}, ...job }) {
    const folder = join(root, 'out', `${++count}-${job.bundler}`)
    const cache = { dir: join(root, 'cache') }
    const options = job.options && { effort: 'fast', report: false, cache, ...job.options }
    const all = { site: SITES[job.bundler], ...job, options, outDir: folder }
    // In production mode, whatever the tests run in.
    const { NODE_ENV: _, ...own } = process.env
    await run(process.execPath, [join(root, 'site-child.mjs'), JSON.stringify(all)], { env: { ...own, ...env } })
    return { folder, files: filesBelow(folder) }
  }

  const write = (path, text) => fs.writeFileSync(join(root, path), text)

  return { root, build, write, close: () => fs.rmSync(root, { recursive: true, force: true }) }
}

/** `task` for each item, two at a time. */
export async function inPairs(items, task) {
  const results = []
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await task(item)
  }
  await Promise.all([worker(), worker()])
  return results
}
