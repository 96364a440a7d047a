// The same images from both servers: what is asked for, what came, and how long a first request took.
import fs from 'node:fs'
import { join } from 'node:path'
import { scoreBuilt } from './build-site.mjs'
import { getImage, startNext, startServer } from './server-tools.mjs'

/** Three of those that next/image asks for. */
export const WIDTHS = [640, 1080, 1920]
/** Of a request that is not counted: it loads what a server needs. */
const WARM_UP_WIDTH = 384
/** Next's default, and ours. */
const QUALITY = 75
const EFFORTS = ['fast', 'balanced']
export const VARIANTS = [
  { label: 'Next', images: {} },
  { label: 'Next with AVIF', images: { formats: ['image/avif', 'image/webp'] } },
]

const openSide = side => ({ ...side, files: null, times: [] })
const nextPath = ({ name, width }) => `/_next/image?url=%2F${name}&w=${width}&q=${QUALITY}`
const ownPath = ({ name, width }, quality) => `/?url=%2F${name}&w=${width}&q=${quality}`

export const nextSide = (app, { label, images }) =>
  openSide({ label, start: () => startNext(app, images), pathOf: nextPath })

/** `qualityOf` gives the score that an image is asked for with. */
export function ownSide(app, label, effort, qualityOf = () => QUALITY) {
  const qualities = Array.from({ length: 100 }, (_, index) => index + 1)
  const dir = join(app, 'pixrace-cache')
  const handler = { roots: join(app, 'public'), effort, qualities, cache: { dir } }
  const start = () => {
    fs.rmSync(dir, { recursive: true, force: true })
    return startServer({ handler })
  }
  return openSide({
    label: `pixrace, ${effort}${label}`,
    effort,
    start,
    pathOf: image => ownPath(image, qualityOf(image)),
  })
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

/** Ours with every image asked for with the least score, from the peer's own upwards, at which it looks no worse. */
export async function matchingSide(app, effort, peer, images) {
  const asked = new Map()
  const probe = ownSide(app, '', effort, image => asked.get(image) ?? QUALITY)
  const server = await probe.start()
  try {
    for (const [i, image] of images.entries()) {
      const { score } = peer.files[i]
      for (let quality = Math.max(1, Math.ceil(score)); quality <= 100; quality++) {
        asked.set(image, quality)
        const found = await fileOf(await getImage(server.port, probe.pathOf(image)), image)
        if (found.score >= score) break
      }
    }
  } finally {
    await server.stop()
  }
  return { ...ownSide(app, `, at the scores of ${peer.label}`, effort, image => asked.get(image) ?? QUALITY), peer }
}

/** All that is compared: Next's two, ours with its default, and ours at each one's scores. */
export async function openSides(app, images, progress) {
  const peers = VARIANTS.map(variant => nextSide(app, variant))
  const matching = []
  for (const peer of peers) {
    progress(`${peer.label}, files and scores`)
    await coldRound(peer, images)
    peer.times = []
    for (const effort of EFFORTS) {
      progress(`pixrace, ${effort}: the scores of ${peer.label}`)
      matching.push(await matchingSide(app, effort, peer, images))
    }
  }
  return [...peers, ...EFFORTS.map(effort => ownSide(app, '', effort)), ...matching]
}
