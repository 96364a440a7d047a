// One image by every tool: what each makes of it, timed in turns, and what the files look like.
import pixrace from '../../index.js'
import { digest } from './cache.mjs'
import { DEFAULT_FLOOR } from './floor.mjs'
import { choices, scoreOf, takeBack } from './peer-files.mjs'
import { PEERS } from './peer-tools.mjs'
import { timed } from './stats.mjs'

export const EFFORTS = ['fast', 'balanced', 'best']

const nameOf = (tool, label) => `${tool}, ${label}`
/** What pixrace is judged against: sharp as it is when nothing is said about effort. */
export const BASELINE = nameOf('sharp', 'effort 4')
export const pixraceSide = effort => nameOf('pixrace', effort)

/** Every side of the comparison by name, in the order of the tables. */
export const SIDES = [
  ...EFFORTS.map(pixraceSide),
  ...PEERS.flatMap(({ name, avif }) => avif.map(({ label }) => nameOf(name, label))),
]

// A side has a name and a `run` that turns the bytes of an image into files, the way a user of the tool would.
function pixraceSides(floor) {
  const wanted = floor === DEFAULT_FLOOR ? {} : { minScore: floor }
  return EFFORTS.map(effort => ({
    name: pixraceSide(effort),
    async run(bytes) {
      const { data, format, quality } = await pixrace.optimize(bytes, { effort, ...wanted })
      return [{ data, format, quality }]
    },
  }))
}

function peerSides(tool, { avif, rest }) {
  return tool.avif.map(({ label, setting }) => {
    const chosen = avif.has(setting) ? [avif.get(setting), ...rest] : rest
    return {
      name: nameOf(tool.name, label),
      tool,
      async run(bytes) {
        const image = await tool.open(bytes)
        return Promise.all(
          chosen.map(async ({ setting, quality }) => {
            const { format } = setting
            return { data: await setting.encode(image, quality), format, quality, setting }
          }),
        )
      },
    }
  })
}

async function timeInTurns(image, sides, { rounds, progress }) {
  const found = sides.map(side => ({ ...side, times: [], files: [] }))
  for (let round = 1; round <= rounds; round++) {
    // Only what is judged needs a median; the rest would double the time of the benchmark.
    for (const side of found.filter(({ name, tool }) => round === 1 || !tool || name === BASELINE)) {
      progress(`${image.name}: round ${round} of ${rounds}, ${side.name}`)
      // A fresh copy: no cache of a tool may know the bytes.
      const copy = Buffer.from(image.bytes)
      const time = await timed(async () => {
        side.files = await side.run(copy)
      })
      side.times.push(time)
    }
  }
  return found
}

/** Puts scores in the place of the data. The sides of one tool share files, which are scored once. */
async function scored(image, sides) {
  const scores = new Map()
  for (const side of sides) {
    for (const file of side.files) {
      const key = digest(file.data)
      if (!scores.has(key)) scores.set(key, await scoreOf(image.bytes, file.data))
      file.score = scores.get(key)
      file.bytes = file.data.length
      delete file.data
    }
  }
}

async function attempt(image, options) {
  const { floor, progress } = options
  const sides = pixraceSides(floor)
  for (const tool of PEERS) sides.push(...peerSides(tool, await choices(tool, image, floor, progress)))
  const found = await timeInTurns(image, sides, options)
  progress(`${image.name}: scores`)
  await scored(image, found)
  return found
}

/**
 * Of each side its `name`, its `tool` if it is a peer, the `times` of its rounds, its `files` (`setting`, `format`,
 * `quality`, `bytes`, `score`) and the smallest of them that reaches the floor as `winner`. pixrace answers for its only
 * file whatever it scores.
 */
export async function measure(image, options) {
  const { floor } = options
  let sides = await attempt(image, options)
  const stale = sides.flatMap(({ tool, files }) =>
    files.filter(({ setting, score }) => setting && score < floor).map(({ setting }) => ({ tool, setting })),
  )
  if (stale.length > 0) {
    // The cache was filled by other libraries or another machine: search these again.
    for (const { tool, setting } of stale) takeBack(tool, setting, image, floor)
    sides = await attempt(image, options)
  }
  return sides.map(({ name, tool, times, files }) => {
    const passing = tool ? files.filter(({ score }) => score >= floor) : files
    const winner = passing.reduce((best, file) => (file.bytes < best.bytes ? file : best))
    const shown = files.map(({ setting, ...file }) => ({ ...file, setting: setting?.id }))
    return { name, tool: tool?.name, times, files: shown, winner, belowFloor: winner.score < floor }
  })
}
