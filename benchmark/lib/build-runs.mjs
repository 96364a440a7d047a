// Builds, timed: each is a process of its own. A cold build finds no cache, the warm one after it what the cold one left.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtImages, scoreBuilt, writeSite } from './build-site.mjs'
import { digest } from './cache.mjs'
import { mean, timed } from './stats.mjs'

const child = fileURLToPath(new URL('build-child.mjs', import.meta.url))

function build({ root, ...settings }) {
  return new Promise((resolve, reject) => {
    const argument = JSON.stringify({ root, ...settings })
    // In the site, where tools look for their folders, and with nothing of npm's in the way.
    const process = spawn(globalThis.process.execPath, [child, argument], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const errors = []
    process.stderr.on('data', data => errors.push(data))
    process.on('error', reject)
    process.on('close', code => (code === 0 ? resolve() : reject(new Error(Buffer.concat(errors).toString()))))
  })
}

/** One site for one tool, in a folder of its own. `side` has `tool`, `minScore` and what was found. */
export function openSide(folder, comparison, tool, pictures, minScore) {
  const label = tool === null ? 'no tool' : minScore === undefined ? tool : `${tool}, minScore ${minScore}`
  const root = join(folder, `${comparison.id}-${label.replace(/\W+/g, '-')}`)
  writeSite(root, pictures, comparison.queries?.[tool])
  return { comparison, tool, minScore, label, root, pictures, cold: [], warm: [], files: null, isStable: true }
}

/** Builds the site twice, without a cache and with it; notes both times and, once, the files of the cold build. */
export async function buildTwice(side) {
  const { root, tool, minScore, comparison, pictures } = side
  for (const name of ['dist', 'node_modules']) fs.rmSync(join(root, name), { recursive: true, force: true })
  const settings = { root, bundler: comparison.bundler, tool, minScore }
  side.cold.push(await timed(() => build(settings)))
  const files = side.files ? null : builtImages(root, pictures)
  side.warm.push(await timed(() => build(settings)))
  if (!files) return
  side.isStable = digestOf(files) === digestOf(builtImages(root, pictures))
  side.files = await scored(files, pictures)
}

const digestOf = files =>
  digest(
    files
      .map(({ source, data }) => `${source} ${digest(data)}`)
      .sort()
      .join(),
  )

const scored = (files, pictures) =>
  Promise.all(
    files.map(async ({ data, ...file }) => {
      const source = pictures.find(({ name }) => name === file.source)
      return { ...file, ...(await scoreBuilt(data, source)) }
    }),
  )

/** A build that is not timed: the bundler's own files are in memory from then on. */
export const warmUp = ({ root, tool, comparison }) => build({ root, bundler: comparison.bundler, tool })

export const bytesOf = files => files.reduce((sum, { bytes }) => sum + bytes, 0)
export const scoresOf = files => files.map(({ score }) => score)
export const meanScore = files => mean(scoresOf(files))

/** Time that a tool adds to the build without one, round by round. */
export const added = (side, none, key) => side[key].map((time, i) => time - none[key][i])
