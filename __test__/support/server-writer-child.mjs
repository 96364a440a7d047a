// An image server that writes one cache entry after the other until it is killed: `<root> <cache folder> <first width>`.
// Instead of the engine something quick fills the entries, so that most of the time one of them is being written.
import { randomFillSync } from 'node:crypto'
import { createRequire } from 'node:module'

const BYTES = 64 * 1024
const LANES = 4
const WIDTHS = 100

const engine = createRequire(import.meta.url)('../../index.js')
engine.optimize = async (input, { resize }) => {
  const image = { format: 'webp', width: resize.width, height: 1, quality: 75, score: 80, isOriginal: false }
  const size = { format: 'png', width: 200, height: 200, bytes: input.length, hasAlpha: false, bitDepth: 8 }
  const info = { ...size, orientation: 1, pages: 1, colorSpace: 'rgb' }
  const data = randomFillSync(Buffer.alloc(BYTES))
  return { ...image, data, passed: true, candidates: [], input: info, warnings: [] }
}
const { createImageHandler } = await import('../../esm/server/index.js')

const [roots, dir, first] = process.argv.slice(2)
const widths = Array.from({ length: WIDTHS }, (_, index) => Number(first) + index)
const handler = createImageHandler({ roots, cache: { dir }, widths, memory: 0 })
// Once more after the last: what is there already is read.
const lanes = Array.from({ length: LANES }, async (_, lane) => {
  for (let at = lane; ; at += LANES) {
    const request = new Request(`http://site.test/?url=/noise.png&w=${widths[at % WIDTHS]}`, {
      headers: { accept: 'image/webp' },
    })
    const { status } = await handler(request)
    if (status !== 200) throw new Error(`status ${status}`)
    if (at === 0) process.send('writing')
  }
})
await Promise.all(lanes)
