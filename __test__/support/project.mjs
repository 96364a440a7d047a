// Small projects in folders of their own, with every way in which an image gets into a build.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'

/** A picture that no other seed gives: a gradient with a disc and some noise, so that all encoders have something to do. */
export function picture(seed, { width = 64, height = 48, format = 'png' } = {}) {
  const pixels = Buffer.alloc(width * height * 3)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)]
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const noise = (state >>> 24) % 12
    const disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2 ? 60 : 0
    pixels[3 * at] = Math.min(255, (200 * x) / width + noise)
    pixels[3 * at + 1] = Math.min(255, (180 * y) / height + disc + noise)
    pixels[3 * at + 2] = Math.min(255, ((seed * 37) % 200) + noise)
  }
  const image = sharp(pixels, { raw: { width, height, channels: 3 } })
  return (format === 'jpg' ? image.jpeg({ quality: 95 }) : image.png()).toBuffer()
}

/** A JPEG with a comment of three characters: changing it changes a byte of the file and nothing of the picture. */
export function withComment(jpeg, comment) {
  const segment = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0x05]), Buffer.from(comment, 'latin1')])
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)])
}

const MAIN = `import plain from './plain.png'
import photo from './photo.jpg'
import tiny from './tiny.png'
import wide from './wide.png?picture&w=24;48'
import small from './small.png?smallest'
console.log(plain, photo, tiny, JSON.stringify(wide), small, new URL('./url.png', import.meta.url).href)
`

const IMAGES = ['plain.png', 'photo.jpg', 'wide.png', 'small.png', 'url.png']
const PAGE_IMAGES = ['css.png', 'html.png', 'icon.png']

const pageOf = (prefix, script) =>
  `<!doctype html><html><head><title>Page</title><link rel="icon" href="${prefix}icon.png"></head>
<body><img src="${prefix}html.png" alt="">${script}</body></html>
`

/** An empty folder, which `remove` removes. */
export function temporary(name) {
  const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), `pixrace-${name}-`)))
  return { root, remove: () => fs.rmSync(root, { recursive: true, force: true }) }
}

/** Writes files, named by their path below `root`. */
export function write(root, files) {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    fs.mkdirSync(dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
  }
}

/** The text files of an application for a bundler. `main` is its script, `style` its stylesheet. */
export function application(bundler, main, style = null, body = null) {
  if (bundler === 'rollup') return { 'src/main.js': main }
  const page = bundler.startsWith('vite')
    ? { 'index.html': body ?? pageOf('/src/', '<script type="module" src="/src/main.js"></script>') }
    : { 'src/index.html': body ?? pageOf('./', '') }
  const css = style === null ? {} : { 'src/style.css': style }
  return { ...page, ...css, 'src/main.js': `${style === null ? '' : "import './style.css'\n"}${main}` }
}

/** A project that uses images in every way that the bundler knows; `count` of them are files of the project. */
export async function makeProject(bundler, root) {
  const names = bundler === 'rollup' ? IMAGES : [...IMAGES, ...PAGE_IMAGES]
  const images = {}
  for (const [index, name] of names.entries()) {
    const bytes = await picture(index + 1, { width: 64 + index, format: name.slice(-3) })
    images[`src/${name}`] = name === 'photo.jpg' ? withComment(bytes, 'one') : bytes
  }
  images['src/tiny.png'] = await picture(100, { width: 6, height: 6 })
  if (bundler !== 'rollup') images['public/copied.png'] = await picture(101)
  const style = '.a { background: url(./css.png) }\n'
  write(root, { ...application(bundler, MAIN, style), ...images, 'package.json': '{ "type": "module" }\n' })
  return { images: Object.keys(images) }
}
