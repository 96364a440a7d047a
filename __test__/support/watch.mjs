// Watching builds of each bundler, and waiting.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { watch as rollupWatch } from 'rollup'
import { compilerOf, digestsOf, filesBelow, rollupConfig, VITES, viteConfig, webpackConfig } from './build.mjs'
import { encodes } from './engine-spy.mjs'

/** So long that only what never comes is late. */
const LATE_MS = 10_000
const POLL_MS = 20

/** What `ask` gives as soon as it is true. */
export async function eventually(ask, what) {
  const late = Date.now() + LATE_MS
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > late) throw new Error(`does not happen: ${what}`)
    await sleep(POLL_MS)
  }
}

function watchCompiler(bundler, config, onBuilt) {
  const compiler = compilerOf(bundler, config)
  const watching = compiler.watch({ aggregateTimeout: 50 }, (error, stats) => {
    const errors = error ? [error] : stats.toJson({ all: false, errors: true }).errors
    onBuilt(errors[0] ? new Error(errors[0].message) : null)
  })
  return () => new Promise(resolve => watching.close(() => compiler.close(resolve)))
}

function watchRollup(watcher, onBuilt) {
  watcher.on('event', event => {
    if (event.code === 'BUNDLE_END') event.result?.close()
    if (event.code === 'END') onBuilt(null)
    if (event.code === 'ERROR') onBuilt(event.error)
  })
  return () => watcher.close()
}

async function start(bundler, root, options, extra, onBuilt) {
  if (bundler === 'rollup') {
    const watch = { buildDelay: 50, clearScreen: false }
    return watchRollup(rollupWatch({ ...rollupConfig(root, options, extra), watch }), onBuilt)
  }
  if (bundler in VITES) {
    const config = viteConfig(root, options, { ...extra, build: { watch: {} } })
    return watchRollup(await VITES[bundler].build(config), onBuilt)
  }
  return watchCompiler(bundler, webpackConfig(bundler, root, options, extra), onBuilt)
}

/**
 * Builds again whenever a file changes. `until(holds, what)` waits for a finished build whose `{ files, digests, encodes }` it
 * takes and gives them; `encodes` are those since the last build that was taken.
 */
export async function watchBuild(bundler, root, options, extra = {}) {
  let builds = 0
  let failure = null
  let last = null
  let taken = encodes.length
  const close = await start(bundler, root, options, extra, error => {
    builds++
    failure = error
    // At once: the next build may write into these files.
    const files = filesBelow(join(root, extra.outDir ?? 'dist'))
    last = { files, digests: digestsOf(files) }
  })
  const look = holds => {
    if (failure) throw failure
    if (!last || !holds(last)) return null
    const made = encodes.slice(taken)
    taken = encodes.length
    return { ...last, encodes: made }
  }
  return {
    close,
    until: (holds, what) => eventually(() => look(holds), what),
    /** Waits until no build has ended for a moment. */
    async quiet() {
      for (let before = -1; before !== builds; await sleep(400)) before = builds
    },
  }
}
