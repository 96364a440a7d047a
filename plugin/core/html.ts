// HTML files: which of their references have to keep their format, and `<img>` wrapped in `<picture>`.
import { type DefaultTreeAdapterTypes, parse } from 'parse5'

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
  /** Whether it says its width or its height. */
  hasSize: boolean
  /** Whether it has a choice of files already: `srcset`, or a `<picture>` around it. */
  hasChoice: boolean
}

export interface HtmlImages {
  /** Attributes whose images are read by more than browsers: icons, Open Graph, Twitter cards. */
  keepFormat: Range[]
  images: ImageTag[]
}

const ICON_RELATIONS =
  /(?:^|\s)(?:icon|shortcut|apple-touch-icon(?:-precomposed)?|mask-icon|fluid-icon|apple-touch-startup-image)(?:\s|$)/i
const CARD_NAMES = /^(?:og:|twitter:|msapplication-)/i

const attribute = (element: Element, name: string) => element.attrs.find(attr => attr.name === name)?.value

function keepsFormat(element: Element): 'href' | 'content' | null {
  if (element.tagName === 'link' && ICON_RELATIONS.test(attribute(element, 'rel') ?? '')) return 'href'
  const card = attribute(element, 'property') ?? attribute(element, 'name') ?? ''
  return element.tagName === 'meta' && CARD_NAMES.test(card) ? 'content' : null
}

function* elementsBelow(node: Node): Generator<Element> {
  if ('tagName' in node) yield node
  const children = 'childNodes' in node ? node.childNodes : []
  const inside = 'content' in node ? node.content.childNodes : []
  for (const child of [...children, ...inside]) yield* elementsBelow(child)
}

/** Looks through an HTML text. What it cannot make sense of is not among the answers. */
export function imagesOfHtml(html: string): HtmlImages {
  const found: HtmlImages = { keepFormat: [], images: [] }
  for (const element of elementsBelow(parse(html, { sourceCodeLocationInfo: true }))) {
    const location = element.sourceCodeLocation
    if (!location) continue
    const kept = keepsFormat(element)
    const place = kept && location.attrs?.[kept]
    if (place) found.keepFormat.push({ start: place.startOffset, end: place.endOffset })
    const src = location.attrs?.src
    if (element.tagName !== 'img' || !src) continue
    const startTag = location.startTag ?? location
    const parent = element.parentNode
    found.images.push({
      tag: { start: startTag.startOffset, end: startTag.endOffset },
      src: { start: src.startOffset, end: src.endOffset },
      hasSize: attribute(element, 'width') !== undefined || attribute(element, 'height') !== undefined,
      hasChoice:
        attribute(element, 'srcset') !== undefined || (!!parent && 'tagName' in parent && parent.tagName === 'picture'),
    })
  }
  return found
}

/** What an `<img>` gets around it and into it. */
export interface PictureTag {
  /** In order of preference, as HTML writes them. */
  sources: { srcset: string; type: string }[]
  size: { width: number; height: number } | null
}

/** The `<img>` itself stays, for browsers that take none of the sources. */
export function pictureEdits({ tag }: ImageTag, { sources, size }: PictureTag): Edit[] {
  // After the tag's name: what its end looks like (">", "/>", with or without a space) does not matter there.
  const inside = tag.start + '<img'.length
  const edits: Edit[] = size
    ? [{ start: inside, end: inside, text: ` width="${size.width}" height="${size.height}"` }]
    : []
  if (sources.length === 0) return edits
  const list = sources.map(({ srcset, type }) => `<source srcset="${srcset}" type="${type}">`).join('')
  return [
    { start: tag.start, end: tag.start, text: `<picture>${list}` },
    ...edits,
    { start: tag.end, end: tag.end, text: '</picture>' },
  ]
}
