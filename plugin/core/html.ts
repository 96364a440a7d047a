// HTML files: which of their references have to keep their format, and `<img>` wrapped in `<picture>`.
import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import type { Size } from './types.js'

type Node = DefaultTreeAdapterTypes.Node
type Element = DefaultTreeAdapterTypes.Element

/** A stretch of a text that gets another text. */
export interface Edit extends Range {
  text: string
}

/** A stretch of a text. */
export interface Range {
  start: number
  end: number
}

export interface ImageTag {
  /** The whole tag. */
  tag: Range
  /** Its `src`, name and quotes included. */
  src: Range
  /** Whether it says its width or its height, or has a choice of files, whose sizes may differ. */
  hasSize: boolean
  /** Whether it has a choice of files already: `srcset`, or a `<picture>` around it. */
  hasChoice: boolean
}

export interface HtmlImages {
  /** Attributes whose images are read by more than browsers (icons, Open Graph, Twitter cards) or whose tag names a type. */
  keepFormat: Range[]
  images: ImageTag[]
}

const ICON_RELATIONS =
  /(?:^|\s)(?:icon|shortcut|apple-touch-icon(?:-precomposed)?|mask-icon|fluid-icon|apple-touch-startup-image)(?:\s|$)/i
const CARD_NAMES = /^(?:og:|twitter:|msapplication-)/i

const attribute = (element: Element, name: string) => element.attrs.find(attr => attr.name === name)?.value

function keepsFormat(element: Element): 'href' | 'srcset' | 'content' | null {
  // Its media type says what the file is.
  const isTyped = /^image\//i.test(attribute(element, 'type') ?? '')
  if (element.tagName === 'source' && isTyped) return 'srcset'
  if (element.tagName === 'link' && (isTyped || ICON_RELATIONS.test(attribute(element, 'rel') ?? ''))) return 'href'
  const isCard = ['property', 'name'].some(name => CARD_NAMES.test(attribute(element, name) ?? ''))
  return element.tagName === 'meta' && isCard ? 'content' : null
}

/** In the order of the document. Without recursion: broken HTML nests as deeply as it is long. */
function* elementsBelow(root: Node): Generator<Element> {
  const waiting: Node[] = [root]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if ('tagName' in node) yield node
    const children: Node[] = 'childNodes' in node ? node.childNodes : []
    const inside: Node[] = 'content' in node ? node.content.childNodes : []
    for (const child of [...children, ...inside].reverse()) waiting.push(child)
  }
}

/** Whether it has a choice of files already. */
function hasChoice(image: Element): boolean {
  const parent = image.parentNode
  const inPicture = !!parent && 'tagName' in parent && parent.tagName === 'picture'
  return inPicture || attribute(image, 'srcset') !== undefined
}

/** Whether its attributes or its style say how large it is shown: half of a size beside ours would distort it. */
const hasSize = (image: Element) =>
  attribute(image, 'width') !== undefined ||
  attribute(image, 'height') !== undefined ||
  /(?:^|[;\s])(?:width|height)\s*:/i.test(attribute(image, 'style') ?? '')

/** Looks through an HTML text. What it cannot make sense of is not among the answers. */
export function imagesOfHtml(html: string): HtmlImages {
  const found: HtmlImages = { keepFormat: [], images: [] }
  // Scripting off: what <noscript> holds are elements too.
  for (const element of elementsBelow(parse(html, { sourceCodeLocationInfo: true, scriptingEnabled: false }))) {
    const location = element.sourceCodeLocation
    if (!location) continue
    const kept = keepsFormat(element)
    const place = kept && location.attrs?.[kept]
    if (place) found.keepFormat.push({ start: place.startOffset, end: place.endOffset })
    // Structured data is for search engines.
    if (element.tagName === 'script' && attribute(element, 'type') === 'application/ld+json') {
      found.keepFormat.push({ start: location.startOffset, end: location.endOffset })
    }
    const src = location.attrs?.src
    const { startOffset, endOffset } = location.startTag ?? location
    // HTML makes an <img> of <image>, too.
    const isImage = element.tagName === 'img' && /^<img[\s/]/i.test(html.slice(startOffset, startOffset + 5))
    if (!isImage || !src) continue
    found.images.push({
      tag: { start: startOffset, end: endOffset },
      src: { start: src.startOffset, end: src.endOffset },
      hasSize: hasSize(element) || hasChoice(element),
      hasChoice: hasChoice(element),
    })
  }
  return found
}

/** What an `<img>` gets around it and into it. */
export interface PictureTag {
  /** In order of preference, as HTML writes them. */
  sources: { srcset: string; type: string }[]
  size: Size | null
}

// What may stand in `src` and not in `srcset`, or not between double quotes.
const inSrcset = (url: string) => url.trim().replace(/\s/g, '%20').replaceAll('"', '&quot;')

/** The `<img>` itself stays, for browsers that take none of the sources. */
export function pictureEdits({ tag }: ImageTag, { sources, size }: PictureTag): Edit[] {
  // After the tag's name: what its end looks like (">", "/>", with or without a space) does not matter there.
  const inside = tag.start + '<img'.length
  const edits: Edit[] = size
    ? [{ start: inside, end: inside, text: ` width="${size.width}" height="${size.height}"` }]
    : []
  if (sources.length === 0) return edits
  const list = sources.map(({ srcset, type }) => `<source srcset="${inSrcset(srcset)}" type="${type}">`).join('')
  return [
    { start: tag.start, end: tag.start, text: `<picture>${list}` },
    ...edits,
    { start: tag.end, end: tag.end, text: '</picture>' },
  ]
}
