// The same images from both servers: what is asked for, what came, and how long a first request took.
import fs from 'node:fs'
import { join } from 'node:path'
import { scoreBuilt } from './build-site.mjs'
import { bytesAtScore, smallestPassing } from './floor.mjs'
import { getImage, startNext, startServer } from './server-tools.mjs'

/** Three of those that next/image asks for. */
export const WIDTHS = [640, 1080, 1920]
/** Of a request that is not counted: it loads what a server needs. */
const WARM_UP_WIDTH = 384
/** Next's default, and ours. */
const QUALITY = 75
/** Of our handler. Without AVIF both servers make the same format where Next is left as it is. */
const SETTINGS = {
  fast: { effort: 'fast' },
  balanced: { effort: 'balanced' },
  'fast without AVIF': { effort: 'fast', formats: ['webp', 'jpeg', 'png'] },
}
const DEFAULTS = ['fast', 'balanced']
/** `judged` is the setting that is to be smaller, and no slower with a first request. */
export const VARIANTS = [
  { label: 'Next', images: {}, beside: Object.keys(SETTINGS), judged: 'fast' },
  { label: 'Next with AVIF', images: { formats: ['image/avif', 'image/webp'] }, beside: DEFAULTS, judged: 'balanced' },
]

const openSide = side => ({ ...side, files: null, times: [] })
const nextPath = ({ name, width }) => `/_next/image?url=%2F${name}&w=${width}&q=${QUALITY}`
const ownPath = ({ name, width }, quality) => `/?url=%2F${name}&w=${width}&q=${quality}`

export const nextSide = (app, { images, ...variant }) =>
  openSide({ ...variant, start: () => startNext(app, images), pathOf: nextPath })

/** `setting` is one of the names above; `qualityOf` gives the score that an image is asked for with. */
export function ownSide(app, setting, qualityOf = () => QUALITY) {
  const qualities = Array.from({ length: 100 }, (_, index) => index + 1)
  const dir = join(app, 'pixrace-cache')
  const handler = { roots: join(app, 'public'), qualities, cache: { dir }, ...SETTINGS[setting] }
  const start = () => {
    fs.rmSync(dir, { recursive: true, force: true })
    return startServer({ handler })
  }
  return openSide({ label: `pixrace, ${setting}`, setting, start, pathOf: image => ownPath(image, qualityOf(image)) })
}

/** Asks a server that has nothing for every image; notes the times and, once, the files. */
export async function coldRound(side, images) {
  const server = await side.start()
  try {
    await getImage(server.port, side.pathOf({ ...images[0], width: WARM_UP_WIDTH }))
    const answers = []
    for (const image of images) answers.push(await getImage(server.port, side.pathOf(image)))
    side.times.push(answers.map(({ ms }) => ms))
    side.files ??= await Promise.all(answers.map((answer, i) => fileOf(answer, images[i])))
  } finally {
    await server.stop()
  }
}

async function fileOf({ body, headers }, image) {
  const { score } = await scoreBuilt(body, image)
  return { bytes: body.length, format: headers['content-type'].replace('image/', ''), score }
}

/**
 * Ours with every image asked for so that it looks no worse than the peer's, and better by less than a step of the encoder.
 * `sameScore` are the bytes without that difference.
 */
async function matchingSide(app, setting, peer, images) {
  const asked = new Map()
  const sameScore = []
  const side = ownSide(app, setting, image => asked.get(image) ?? QUALITY)
  const server = await side.start()
  try {
    for (const [i, image] of images.entries()) {
      const files = []
      const probe = async quality => {
        asked.set(image, quality)
        files.push(await fileOf(await getImage(server.port, side.pathOf(image)), image))
        return files.at(-1)
      }
      const wanted = peer.files[i].score
      const { quality } = await smallestPassing(probe, wanted, Math.round(wanted))
      if (quality === null) throw new Error(`pixrace, ${setting}: ${image.name} never scores ${wanted}.`)
      asked.set(image, quality)
      sameScore.push(bytesAtScore(files, wanted))
    }
  } finally {
    await server.stop()
  }
  return { ...side, label: `${side.label}, at the scores of ${peer.label}`, peer, sameScore }
}

/** All that is compared: Next's two, ours with its default score, and ours at the scores of each of them. */
export async function openSides(app, images, progress) {
  const peers = VARIANTS.map(variant => nextSide(app, variant))
  const matching = []
  for (const peer of peers) {
    progress(`${peer.label}, files and scores`)
    await coldRound(peer, images)
    peer.times = []
    for (const setting of peer.beside) {
      progress(`pixrace, ${setting}: the scores of ${peer.label}`)
      matching.push(await matchingSide(app, setting, peer, images))
    }
  }
  return [...peers, ...DEFAULTS.map(setting => ownSide(app, setting)), ...matching]
}
