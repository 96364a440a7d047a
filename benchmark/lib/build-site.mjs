// The site that is built: a page that imports every picture, and the pictures as a site would have them.
import fs from 'node:fs'
import { extname, join } from 'node:path'
import sharp from 'sharp'
import pixrace from '../../index.js'
import { spread } from './corpus.mjs'

// As a camera or an editor saves them: large, and without a visible loss.
const SOURCE_QUALITY = 92

const examples = new URL('../../examples/images/', import.meta.url)
/** Smaller files are icons, which most sites inline. */
const LEAST_BYTES = 4096
/** Pictures of the corpus beside those of the examples: large photos, small ones (one of each format) and graphics. */
const COUNTS = { photos: 3, kodak: 3, graphics: 3 }
const QUICK_COUNTS = { photos: 1, kodak: 3, graphics: 1 }

/** Those of the examples. An animation has no score. */
function exampleImages() {
  if (!fs.existsSync(examples)) return []
  const names = fs.readdirSync(examples).filter(name => /\.(png|jpe?g|webp)$/.test(name))
  const files = names.sort().map(name => ({ name, bytes: fs.readFileSync(new URL(name, examples)) }))
  return files.filter(({ bytes }) => bytes.length >= LEAST_BYTES)
}

const encoders = {
  jpg: bytes => sharp(bytes).jpeg({ quality: SOURCE_QUALITY }).toBuffer(),
  webp: bytes => sharp(bytes).webp({ quality: SOURCE_QUALITY }).toBuffer(),
  png: bytes => sharp(bytes).png().toBuffer(),
}

const isPng = bytes => bytes[0] === 0x89

/** A picture of the corpus as a file of a site. */
async function picture(kind, i, bytes, ext) {
  return { name: `${kind}${i + 1}.${ext}`, bytes: ext === 'png' && isPng(bytes) ? bytes : await encoders[ext](bytes) }
}

/**
 * `all`: photos in three formats and graphics; `photos`: the large ones. Names are letters and digits: what follows a hyphen
 * in the name of a built file is the tool's.
 */
export async function sitePictures(corpus, quick) {
  const counts = quick ? QUICK_COUNTS : COUNTS
  const some = kind => spread(corpus[kind], counts[kind])
  const [photos, small, graphics] = await Promise.all([
    Promise.all(some('photos').map(({ bytes }, i) => picture('photo', i, bytes, 'jpg'))),
    Promise.all(some('kodak').map(({ bytes }, i) => picture('small', i, bytes, ['jpg', 'webp', 'png'][i % 3]))),
    Promise.all(some('graphics').map(({ bytes }, i) => picture('graphic', i, bytes, 'png'))),
  ])
  const own = exampleImages().map(({ name, bytes }, i) => ({ name: `example${i + 1}${extname(name)}`, bytes }))
  return { photos, all: [...own, ...photos, ...small, ...graphics] }
}

/** "6 JPEG, 2 WebP and 8 PNG, 6.1 MB". */
export function described(pictures) {
  const names = { jpg: 'JPEG', webp: 'WebP', png: 'PNG' }
  const count = ext => pictures.filter(({ name }) => name.endsWith(`.${ext}`)).length
  const parts = Object.keys(names).filter(ext => count(ext) > 0)
  const bytes = pictures.reduce((sum, picture) => sum + picture.bytes.length, 0)
  const list = parts.map(ext => `${count(ext)} ${names[ext]}`).join(', ')
  return `${list}, ${(bytes / 1e6).toFixed(1)} MB together`
}

export function writeSite(root, pictures, query = '') {
  fs.mkdirSync(join(root, 'images'), { recursive: true })
  for (const { name, bytes } of pictures) fs.writeFileSync(join(root, 'images', name), bytes)
  const imports = pictures.map(({ name }, i) => `import image${i} from './images/${name}${query}'`)
  const uses = pictures.map((_, i) => `image${i}`).join(', ')
  fs.writeFileSync(join(root, 'main.js'), `${imports.join('\n')}\ndocument.title = JSON.stringify([${uses}])\n`)
  const page =
    '<!doctype html><html lang="en"><title>Pictures</title><script type="module" src="/main.js"></script></html>'
  fs.writeFileSync(join(root, 'index.html'), `${page}\n`)
}

const IMAGE = /\.(avif|webp|jpe?g|png)$/
const FORMATS = { jpg: 'jpeg', jpeg: 'jpeg' }

/** The image files of a built site: `{ source, format, bytes, data }`, `source` being the name of the picture. */
export function builtImages(root, pictures) {
  const dist = join(root, 'dist')
  const paths = fs.readdirSync(dist, { recursive: true }).filter(path => IMAGE.test(path))
  return paths.map(path => {
    const base = path.split(/[\\/]/).at(-1)
    const source = pictures.find(({ name }) => base.startsWith(`${name.split('.')[0]}-`))
    if (!source) throw new Error(`${base} is of no picture of the site.`)
    const data = fs.readFileSync(join(dist, path))
    const [, ext] = IMAGE.exec(path)
    return { source: source.name, format: FORMATS[ext] ?? ext, bytes: data.length, data }
  })
}

/**
 * Width of a built file, and its SSIMULACRA2 against its picture. Where the file is smaller, sharp brings the picture to its
 * size.
 */
export async function scoreBuilt(data, { bytes }) {
  const [{ width, height }, original] = await Promise.all([pixrace.inspect(data), pixrace.inspect(bytes)])
  if (width === original.width && height === original.height) return { width, score: await pixrace.score(bytes, data) }
  const reference = await sharp(bytes).resize({ width, height, fit: 'fill', kernel: 'lanczos3' }).png().toBuffer()
  return { width, score: await pixrace.score(reference, data) }
}
