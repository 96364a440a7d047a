// The files that a peer would choose: of each format the smallest one that reaches the floor.
import sharp from 'sharp'
import pixrace from '../../index.js'
import { cached, digest, forget } from './cache.mjs'
import { smallestPassing } from './floor.mjs'
import { FORMATS, settingsOf } from './peer-tools.mjs'

const FIRST_GUESS = 60

/** The score of any file that sharp can read, the same way for every tool: decoded to a PNG, then SSIMULACRA2. */
export async function scoreOf(original, file) {
  return pixrace.score(original, await sharp(file).png({ compressionLevel: 1 }).toBuffer())
}

// Photos of one kind need about the same quality: the last one's is where the search of the next begins.
const guesses = new Map()

async function find(tool, setting, bytes, floor) {
  const image = await tool.open(Buffer.from(bytes))
  const probe = async quality => {
    const file = await setting.encode(image, quality)
    return { bytes: file.length, score: await scoreOf(bytes, file) }
  }
  if (setting.lossless) {
    const found = await probe()
    return { quality: null, ...found, bytes: found.score >= floor ? found.bytes : null }
  }
  const key = `${tool.name} ${setting.id}`
  const found = await smallestPassing(probe, floor, guesses.get(key) ?? FIRST_GUESS)
  if (found.quality !== null) guesses.set(key, found.quality)
  return found
}

const keyOf = (tool, setting, { name, bytes }, floor) => [
  name,
  digest(bytes),
  `${tool.name} ${tool.version}`,
  setting.id,
  `floor ${floor}`,
]

/** `{ quality, bytes, score }` of one setting on one image; `bytes` is null if no quality reaches the floor. */
export function searched(tool, setting, image, floor) {
  return cached(keyOf(tool, setting, image, floor), () => find(tool, setting, image.bytes, floor))
}

/**
 * Of each format the smallest passing file of the tool's settings: for AVIF by effort, one entry each; for the others
 * the smaller of lossy and lossless. Entries have `setting`, `quality`, `bytes` and `score`; formats without a passing
 * file are missing.
 */
export async function choices(tool, image, floor, progress) {
  const passing = []
  for (const setting of settingsOf(tool)) {
    progress(`${image.name}: ${tool.name} ${setting.id}`)
    const found = await searched(tool, setting, image, floor)
    if (found.bytes !== null) passing.push({ setting, ...found })
  }
  const smallest = list => list.reduce((best, one) => (one.bytes < best.bytes ? one : best))
  const ofFormat = format => passing.filter(({ setting }) => setting.format === format)
  const rest = FORMATS.slice(1)
    .map(ofFormat)
    .filter(list => list.length > 0)
    .map(smallest)
  return { avif: new Map(ofFormat('avif').map(choice => [choice.setting, choice])), rest }
}

/** Takes back what the cache says of a setting on an image. */
export function takeBack(tool, setting, image, floor) {
  forget(keyOf(tool, setting, image, floor))
}
