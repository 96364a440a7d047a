// The pictures: a corpus of photographs where there is one, else the project's own fixtures.
import fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const fixtures = join(root, 'fixtures')

export const fixture = name => load(join(fixtures, name))

function load(file) {
  // Names of corpus files may be digests.
  const name = basename(file)
  return { name: name.length > 20 ? `${name.slice(0, 8)}…` : name, bytes: fs.readFileSync(file) }
}

function imagesIn(folder) {
  if (!fs.existsSync(folder)) return []
  const names = fs.readdirSync(folder).filter(name => /\.(png|jpe?g)$/i.test(name))
  return names.sort().map(name => load(join(folder, name)))
}

/** `count` items of a list, evenly spread over it. */
export function spread(list, count) {
  if (list.length <= count) return list
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)])
}

/** The first `count` items of a list that starts again at its end. */
export const cycle = (list, count) => Array.from({ length: count }, (_, i) => list[i % list.length])

/** Photos of 2048 pixels and of 768 pixels, graphics, and a sentence on where they come from. */
export function openCorpus() {
  const folder = resolve(process.env.PIXRACE_CORPUS || join(root, '..', 'shared', 'corpus'))
  const [photos, kodak, graphics] = ['photos', 'kodak', 'graphics'].map(name => imagesIn(join(folder, name)))
  const ownGraphics = ['line-art.png', 'logo-alpha.png', 'text.png'].map(fixture)
  if (photos.length > 0 && kodak.length > 0) {
    const drawn = graphics.length > 0 ? `${graphics.length} graphics` : "the project's own graphics"
    const source = `${photos.length} photos of 2048 pixels (CLIC 2025), ${kodak.length} of 768 × 512 (Kodak), ${drawn}`
    return { photos, kodak, graphics: graphics.length > 0 ? graphics : ownGraphics, source }
  }
  const own = ['photo.jpg', 'photo.png', 'cmyk.jpg', 'gradient.png'].map(fixture)
  const source =
    "the project's small fixtures: no photos/ and kodak/ where PIXRACE_CORPUS points, so expect other figures"
  return { photos: own, kodak: own, graphics: ownGraphics, source }
}
