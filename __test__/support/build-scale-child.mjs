// One build of many images in a process of its own, which sends what it cost: peak memory, the longest stall of the event loop
// while code of ours runs, calls of the engine at once, and what was shown meanwhile.
// Arguments: 'core', 'vite' or 'webpack', the project's folder and the plugin's options as JSON (null: a build without it).

import { readdirSync, readFileSync } from 'node:fs'
import { join, parse } from 'node:path'
// First, because it has to come before what it watches.
import './engine-spy.mjs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { BundlePass } from '../../esm/core/bundle.js'
import { Session } from '../../esm/core/session.js'
import { compilerOf, VITES, viteConfig, webpackConfig } from './build.mjs'
import { encodes, running } from './engine-spy.mjs'

const [mode, root, json] = process.argv.slice(2)
const options = JSON.parse(json)

/** The timer that looks for stalls. What it measures has this in it. */
const RESOLUTION_MS = 5
const stalls = {}

/** Runs `task` and notes the longest stall of the event loop in it. */
async function watched(name, task) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  // Time for the timer's first turn.
  await new Promise(resolve => setTimeout(resolve, 2 * RESOLUTION_MS))
  try {
    return await task()
  } finally {
    await new Promise(resolve => setTimeout(resolve, 2 * RESOLUTION_MS))
    delays.disable()
    stalls[name] = Math.max(stalls[name] ?? 0, delays.max / 1e6 - RESOLUTION_MS)
  }
}

/** Of code that does all that a bundler's build needs of us, with no bundler around. */
async function core() {
  const names = readdirSync(join(root, 'src')).filter(name => /\.(?:png|jpg)$/.test(name))
  const session = new Session({ effort: 'fast', ...options }, root)
  const images = names.map(file => {
    const { name } = parse(file)
    const rename = (hash, ext) => `assets/${name}-${hash.slice(0, 8)}.${ext}`
    const fileName = rename('original', parse(file).ext.slice(1))
    return { fileName, source: `src/${file}`, bytes: readFileSync(join(root, 'src', file)), rename }
  })
  // As large as a script with a framework in it.
  const padding =
    'function component(properties) { return render("div", properties.name + ".png", [1, 2, 3]) }\n'.repeat(11_000)
  const list = images.map(({ fileName }) => `"/${fileName}"`)
  const page = list.map(src => `<img src=${src} alt="">`).join('\n')
  const texts = [
    { fileName: 'assets/main.js', text: `${padding}const all = [${list}]\n${padding}`, rename: null, role: 'code' },
    { fileName: 'assets/style.css', text: list.map(url => `.a{background:url(${url})}`).join('\n'), role: 'code' },
    { fileName: 'index.html', text: `<!doctype html><title>Page</title>${page}`, rename: null, role: 'html' },
  ].map(text => ({ rename: hash => `assets/style-${hash.slice(0, 8)}.css`, ...text }))
  await session.begin()
  const pass = new BundlePass(session.optimizer, images, texts, () => false)
  const { files } = await watched('pass', () => pass.run())
  await watched('end', async () => {
    session.manifest()
    await session.end()
  })
  return files.size
}

const countOf = files => files.filter(name => /\.(?:png|jpe?g|webp|avif)$/.test(name)).length
const written = () => countOf(readdirSync(join(root, 'dist'), { recursive: true }).map(String))

async function viteBuild() {
  const config = viteConfig(root, options)
  for (const plugin of config.plugins.flat().filter(({ name }) => name === 'pixrace:bundle')) {
    const { handler } = plugin.generateBundle
    plugin.generateBundle.handler = function (...args) {
      return watched('hook', () => handler.apply(this, args))
    }
  }
  await VITES.vite.build(config)
  return written()
}

async function webpackBuild() {
  const compiler = compilerOf('webpack', webpackConfig('webpack', root, options))
  const register = tap => {
    if (tap.name !== 'PixracePlugin') return tap
    return { ...tap, fn: (...args) => watched('hook', () => tap.fn(...args)) }
  }
  compiler.hooks.thisCompilation.tap('test', ({ hooks }) => hooks.processAssets.intercept({ register }))
  const stats = await new Promise((resolve, reject) =>
    compiler.run((error, done) => (error ? reject(error) : resolve(done))),
  )
  if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
  await new Promise(resolve => compiler.close(resolve))
  return written()
}

/** What goes to the screen, with the time of each. */
const shown = []
if (process.env.FAKE_TTY) {
  process.stderr.isTTY = true
  process.stderr.write = (text, done) => {
    shown.push([performance.now(), String(text)])
    if (typeof done === 'function') done()
    return true
  }
}

const started = performance.now()
const images = await { core, vite: viteBuild, webpack: webpackBuild }[mode]()
const elapsedMs = performance.now() - started
const peakMib = process.resourceUsage().maxRSS / 1024
const cost = { images, elapsedMs, peakMib, stalls, shown, encodes: encodes.length, atOnce: running.most }
process.send(cost, () => process.exit())
