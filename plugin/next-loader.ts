// The loader of next/image: a query of the route, or in a static export the name of a file that is written when the build is
// complete. It runs in browsers too, so it imports nothing; `process.env.…` is replaced when it is built.
interface LoaderProps {
  src: string
  width: number
  quality?: number
}

/** What is used of an event and of its `<img>`. */
interface ImageEvent {
  target: { tagName?: string; src: string; currentSrc: string; removeAttribute(name: string): void }
  stopImmediatePropagation(): void
}

declare const window:
  | { addEventListener(type: 'error', listener: (event: ImageEvent) => void, capture: boolean): void }
  | undefined

/** The nearest one of `images.qualities`, as Next has it. */
function scoreFor(quality: number): number {
  const scores = (process.env.PIXRACE_QUALITIES ?? '75').split(',').map(Number)
  return scores.reduce((best, score) => (Math.abs(score - quality) < Math.abs(best - quality) ? score : best))
}

/** One part of a path, encoded or not, in letters that neither HTML, `srcset` nor a script gives a meaning. */
const encoded = (part: string) =>
  encodeURIComponent(part)
    .replace(/%25([\da-f]{2})/gi, '%$1')
    .replace(/[!'()*]/g, letter => `%${letter.charCodeAt(0).toString(16)}`)

function fileFor(src: string, width: number, score: number): string {
  const base = process.env.PIXRACE_BASE_PATH ?? ''
  const own = base !== '' && src.startsWith(`${base}/`) ? src.slice(base.length) : src
  // What is no file of the site stays where it is.
  if (!own.startsWith('/') || own.startsWith('//')) return src
  const path = own
    .replace(/[?#].*$/, '')
    .split('/')
    .map(encoded)
    .join('/')
  return `${process.env.PIXRACE_IMAGE_PATH}${path}/${width}-${score}.${process.env.PIXRACE_EXPORT_FORMAT}`
}

export default function pixraceLoader({ src, width, quality = 75 }: LoaderProps): string {
  // In development originals are shown, at once; Next wants to see the width.
  if (process.env.NODE_ENV === 'development') return `${src}${src.includes('?') ? '&' : '?'}w=${width}`
  // A drawing of any size already; Next does the same.
  if (src.split('?', 1)[0]?.endsWith('.svg')) return src
  const score = scoreFor(quality)
  if (process.env.PIXRACE_EXPORT_FORMAT) return fileFor(src, width, score)
  return `${process.env.PIXRACE_IMAGE_PATH}?url=${encodeURIComponent(src)}&w=${width}&q=${score}`
}

/** An image that no page names, because a script shows it later, was not written: its original is. */
function showOriginal(event: ImageEvent): void {
  const { target } = event
  if (target.tagName !== 'IMG') return
  const path = /\/_pixrace(\/.+)\/\d+-\d+\.\w+$/.exec(target.currentSrc || target.src)?.[1]
  if (!path) return
  event.stopImmediatePropagation()
  target.removeAttribute('srcset')
  target.src = `${process.env.PIXRACE_BASE_PATH ?? ''}${path}`
}

if (process.env.PIXRACE_EXPORT_FORMAT && typeof window !== 'undefined') {
  window.addEventListener('error', showOriginal, true)
}
