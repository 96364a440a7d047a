// `import hero from './hero.jpg?picture&w=480;960'`: reading the query, and the module that answers it.
import type { Format } from '../engine.js'
import { optionError } from './checks.js'
import { extensionFor, mediaType } from './formats.js'
import type { PictureRequest } from './jobs.js'
import { FORMATS, isFormats } from './options.js'
import type { Encoded, EncodedImage, Size } from './types.js'

/** What a query asks for. `width` and `height` are of the largest picture. */
export type ImageQuery = { kind: 'picture'; request: PictureRequest } | { kind: 'smallest' }

/** More than any layout needs; the engine takes 32 variants. */
const MAX_WIDTHS = 32
const MAX_WIDTH = 65_535
const PLACEHOLDERS = ['thumbhash', 'blur', 'color', 'none']
const PICTURE_KEYS = ['picture', 'w', 'format', 'placeholder']

const splitId = (id: string): [file: string, query: string] => {
  const at = id.indexOf('?')
  return at < 0 ? [id, ''] : [id.slice(0, at), id.slice(at + 1)]
}

function widthsOf(text: string | null): number[] {
  if (text === null) return []
  const parts = text.split(/[;,]/)
  const widths = parts.map(Number)
  const valid = parts.every(part => /^\d+$/.test(part)) && widths.every(width => width >= 1 && width <= MAX_WIDTH)
  if (!valid || widths.length > MAX_WIDTHS) {
    throw optionError('?picture&w', `1 to ${MAX_WIDTHS} widths from 1 to ${MAX_WIDTH} like 480;960`, text)
  }
  return [...new Set(widths)].sort((a, b) => a - b)
}

function formatsOf(text: string | null): Format[] | null {
  if (text === null) return null
  const formats = text.split(/[;,]/) as Format[]
  if (!isFormats(formats)) throw optionError('?picture&format', `some of ${FORMATS.join(', ')}, none twice`, text)
  return formats
}

/**
 * The file and the question of an import, or null if it asks for nothing of ours. Throws `ERR_PIXRACE_INVALID_OPTION`.
 * Keys of others (Vite's `t` and `v`) are left alone only beside `?smallest`, and modules that plugins make up (`\0…`) always.
 */
export function parseImageQuery(id: string): { file: string; query: ImageQuery } | null {
  if (id.startsWith('\0')) return null
  const [file, text] = splitId(id)
  const params = new URLSearchParams(text.replaceAll(';', '%3B'))
  if (params.has('smallest')) {
    const key = PICTURE_KEYS.find(each => params.has(each))
    if (key) throw optionError(`?smallest&${key}`, 'nothing of ?picture beside ?smallest', key)
    return { file, query: { kind: 'smallest' } }
  }
  if (!params.has('picture')) return null
  for (const key of params.keys()) {
    if (!PICTURE_KEYS.includes(key) && key !== 't')
      throw optionError(`?picture&${key}`, `one of ${PICTURE_KEYS.join(', ')}`, key)
    const values = params.getAll(key)
    if (values.length > 1) throw optionError(`?picture&${key}`, 'it once', values.join('&'))
  }
  const placeholder = params.get('placeholder') ?? 'thumbhash'
  if (!PLACEHOLDERS.includes(placeholder))
    throw optionError('?picture&placeholder', PLACEHOLDERS.join(', '), placeholder)
  const request: PictureRequest = {
    widths: widthsOf(params.get('w')),
    formats: formatsOf(params.get('format')),
    placeholder: placeholder === 'none' ? null : (placeholder as 'thumbhash'),
  }
  return { file, query: { kind: 'picture', request } }
}

/** One format of a picture: its files by ascending width. */
interface Rendition {
  format: EncodedImage['format']
  images: EncodedImage[]
  bytes: number
}

/** What a page has to say about a picture: renditions in order of preference, the last of which goes into `<img>`. */
export interface PicturePlan {
  sources: Rendition[]
  fallback: Rendition
}

// A browser takes the first source that it knows: the least known first. PNG and JPEG are known to all.
const SUPPORT: Record<string, number> = { avif: 0, webp: 1, gif: 2, png: 2, jpeg: 2 }

/**
 * Which files a `<picture>` lists. A format needs a file for every width, and is listed only if its files are smaller than
 * those of every format that more browsers know.
 */
export function planPicture({ images }: Encoded): PicturePlan {
  const widths = new Set(images.map(({ width }) => width))
  const formats = [...new Set(images.map(({ format }) => format))]
  const renditions = formats.map(format => {
    const own = images.filter(image => image.format === format).sort((a, b) => a.width - b.width)
    return { format, images: own, bytes: own.reduce((sum, { data }) => sum + data.length, 0) }
  })
  const complete = renditions.filter(({ images: own }) => own.length === widths.size)
  const usable = complete.length > 0 ? complete : renditions
  const rank = ({ format }: Rendition) => SUPPORT[format] ?? 0
  const known = Math.max(...usable.map(rank))
  const bySize = [...usable].sort((a, b) => a.bytes - b.bytes)
  const fallback = bySize.find(rendition => rank(rendition) === known) as Rendition
  const others = bySize.filter(rendition => rank(rendition) < known).sort((a, b) => rank(b) - rank(a))
  const sources: Rendition[] = []
  let bound = fallback.bytes
  for (const rendition of others) {
    if (rendition.bytes >= bound) continue
    sources.unshift(rendition)
    bound = rendition.bytes
  }
  return { sources, fallback }
}

/** A file that a picture needs. `name` has its width where there are several. */
export interface PictureFile {
  name: string
  ext: string
  image: EncodedImage
}

/** The files of a plan, each once. */
export function filesOfPlan({ sources, fallback }: PicturePlan, name: string): PictureFile[] {
  return [...sources, fallback].flatMap(({ images }) =>
    images.map(image => ({
      name: images.length > 1 ? `${name}-${image.width}` : name,
      ext: extensionFor(image.format, ''),
      image,
    })),
  )
}

/**
 * The module of a `?picture` import. `urlOf` gives a JavaScript expression for the URL of an image's file; bundlers know it
 * only when everything else is known.
 */
export function pictureModule(
  plan: PicturePlan,
  placeholder: string | null,
  urlOf: (image: EncodedImage) => string,
): string {
  // One file alone needs no width, and with one would be taken for as wide as the page.
  const srcset = ({ images: [first, ...rest] }: Rendition) =>
    first && rest.length === 0
      ? urlOf(first)
      : [first as EncodedImage, ...rest].map(image => `${urlOf(image)} + " ${image.width}w"`).join(' + ", " + ')
  const sources = plan.sources.map(
    rendition => `{ srcset: ${srcset(rendition)}, type: ${JSON.stringify(mediaType(rendition.format))} }`,
  )
  const { images } = plan.fallback
  const largest = images[images.length - 1] as EncodedImage
  const set = images.length > 1 ? `, srcset: ${srcset(plan.fallback)}` : ''
  const img = `{ src: ${urlOf(largest)}, width: ${largest.width}, height: ${largest.height}${set} }`
  return moduleOf(`[${sources.join(', ')}]`, img, placeholder)
}

const moduleOf = (sources: string, img: string, placeholder: string | null) =>
  [
    `export const sources = ${sources}`,
    `export const img = ${img}`,
    `export const placeholder = ${JSON.stringify(placeholder)}`,
    'export default { sources, img, placeholder }',
    '',
  ].join('\n')

/** The same with the source alone. */
export const plainPictureModule = (url: string, size: Size | null) =>
  moduleOf('[]', `{ src: ${url}, width: ${size?.width ?? 0}, height: ${size?.height ?? 0} }`, null)

/** The module of an import with a query. */
export interface QueryModule {
  files: PictureFile[]
  /** Its code, once the files have their URLs: one JavaScript expression for each, in the same order. */
  code(urls: string[]): string
}

/** The module that answers a query; `name` is that of its source. */
export function queryModule({ kind }: ImageQuery, encoded: Encoded, name: string): QueryModule {
  const plan = planPicture(encoded)
  const files = filesOfPlan(plan, name)
  const code = (urls: string[]) => {
    if (kind === 'smallest') return urlModule(urls[0] as string)
    const byImage = new Map(files.map(({ image }, index) => [image, urls[index] as string]))
    return pictureModule(plan, encoded.placeholder, image => byImage.get(image) as string)
  }
  return { files, code }
}

/** The same for a source that stays as it is: in development, or because it could not be read. */
export const plainModule = ({ kind }: ImageQuery, url: string, size: Size | null) =>
  kind === 'smallest' ? urlModule(url) : plainPictureModule(url, size)

const urlModule = (url: string) => `export default ${url}\n`
