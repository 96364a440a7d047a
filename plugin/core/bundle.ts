// A finished bundle, file by file, with no bundler in sight: its images are optimised, and whatever names them follows.
//
// Names change with the bytes, so a stylesheet whose text changes gets a new name as well. Chunks do not: bundlers name them
// before this runs, and the plugins mix the options into those names instead.
import { contentHash } from '../cache/index.js'
import { dataUrl, extensionFor, mediaType, sniff } from './formats.js'
import { type Edit, type HtmlImages, type ImageTag, imagesOfHtml, pictureEdits, type Range } from './html.js'
import { extensionOf, uniqueName } from './naming.js'
import { type Answer, MAX_IN_FLIGHT, type Optimizer, type OwnImage, outputsOf } from './optimizer.js'
import { filesOfPlan, planPicture } from './picture.js'
import { bytesOfDataUrl, inlineImages, pathTo, type Reference, ReferenceIndex } from './references.js'
import { eachOf, Turns } from './turns.js'
import type { EncodedImage, Size } from './types.js'

/** A name for a file with other bytes, by their hash and extension. */
export type Rename = (hash: string, ext: string) => string

export interface BundleImage {
  fileName: string
  /** The source's, which are not the file's if that is settled. */
  bytes: Uint8Array
  /** How the report calls it. */
  source: string
  rename: Rename
  /** Whether somebody gave it its very name, by which others may know it: its format stays too. */
  isFixed?: boolean
  /** What the file holds, where it is made already: it stays, and only what needs another file gets one. */
  settled?: Settled
}

export interface Settled {
  format: string
  width: number
  height: number
  /** Hash of the file's bytes. */
  hash: string
}

/** A source, found by the hash of what was made of it. */
export type SourceOf = (hash: string) => Promise<{ source: string; bytes: Uint8Array } | null>

export interface BundleText {
  fileName: string
  text: string
  /** Null if its name stays whatever becomes of its text. */
  rename: Rename | null
  /**
   * What more than browsers read (web manifests, feeds, site maps) names images in their own format; a listing (Vite's
   * manifest) names what others use.
   */
  role: 'code' | 'html' | 'keep-format' | 'listing'
}

export interface BundleChanges {
  /** Files to add or to overwrite. */
  files: Map<string, Uint8Array>
  /** Files that others stand for. */
  removed: Set<string>
  /** New names of texts. */
  renamed: Map<string, string>
  /** Edits by the text's old name, in order. */
  edits: Map<string, Edit[]>
}

/** How an image is used in a place: in a format of our choice, in its own, or by an `<img>` that becomes a `<picture>`. */
type Use = 'convert' | 'keep' | 'picture'

interface Place {
  text: BundleText
  reference: Reference
  use: Use
  image: ImageTag | null
}

interface Made {
  fileName: string
  size: Size | null
  sources: { fileName: string; type: string }[]
}

const isSettled = ({ settled, bytes }: BundleImage, use: Use) =>
  settled !== undefined && (use === 'convert' || (use === 'keep' && settled.format === sniff(bytes)))

const inside = (ranges: Range[], { start }: Range) => ranges.some(range => start >= range.start && start < range.end)

/** One pass over one bundle. `isTaken` says whether a name is in use. */
export class BundlePass {
  private readonly changes: BundleChanges = {
    files: new Map(),
    removed: new Set(),
    renamed: new Map(),
    edits: new Map(),
  }
  private readonly owned = new Map<BundleImage, Promise<OwnImage | undefined>>()
  private readonly answers = new Map<string, Promise<Answer>>()
  private readonly made = new Map<string, Made>()
  private readonly pages = new Map<BundleText, HtmlImages>()
  private readonly fixed: Set<string>
  private readonly turns = new Turns()

  constructor(
    private readonly optimizer: Optimizer,
    private readonly images: BundleImage[],
    private readonly texts: BundleText[],
    private readonly isTaken: (fileName: string) => boolean,
    private readonly sourceOf: SourceOf = async () => null,
  ) {
    this.fixed = new Set(images.filter(({ isFixed }) => isFixed).map(({ fileName }) => fileName))
  }

  async run(): Promise<BundleChanges> {
    const byName = new Map(this.images.map(image => [image.fileName, image]))
    const places = await this.findPlaces()
    const needed: [BundleImage, Use][] = places
      .filter(({ text }) => text.role !== 'listing')
      .map(({ reference, use }) => [byName.get(reference.fileName) as BundleImage, use])
    const used = new Set(needed.map(([{ fileName }]) => fileName))
    // What nothing refers to may be known by its name elsewhere: its name stays.
    const rest = this.images.filter(({ fileName, settled }) => !used.has(fileName) && !settled)
    const tasks = [
      ...needed
        .filter(([image, use]) => !isSettled(image, use))
        .map(
          ([image, use]) =>
            () =>
              this.ask(image, use),
        ),
      ...rest.map(image => () => this.ask(image, 'keep')),
      ...this.texts
        .filter(({ role }) => role === 'code' || role === 'html')
        .map(text => () => this.shrinkInlined(text)),
    ]
    await eachOf<() => Promise<unknown>>(tasks, MAX_IN_FLIGHT, task => task())
    // One after the other, so that names do not depend on which answer came first.
    for (const [image, use] of needed) await this.make(image, use)
    for (const image of rest) {
      // The name stays, unless nobody knew of it before us.
      await this.make(image, 'keep', (await this.ownOf(image)) ? undefined : image.fileName)
    }
    for (const place of places) {
      await this.turns.next()
      this.edit(place)
    }
    await this.renameTexts()
    for (const list of this.changes.edits.values()) list.sort((a, b) => a.start - b.start)
    for (const name of this.changes.files.keys()) this.changes.removed.delete(name)
    return this.changes
  }

  /** What is known of a file that we made before the bundle; looked up once, because hashing takes a while. */
  private ownOf(image: BundleImage): Promise<OwnImage | undefined> {
    const known = this.owned.get(image) ?? contentHash(image.bytes).then(this.optimizer.ownImage)
    this.owned.set(image, known)
    return known
  }

  private async findPlaces(): Promise<Place[]> {
    const index = new ReferenceIndex(this.images.map(({ fileName }) => fileName))
    const places: Place[] = []
    if (index.size === 0) return places
    for (const text of this.texts) {
      const html = this.htmlOf(text)
      for (const reference of await index.findInTurns(text.text, text.fileName, this.turns)) {
        await this.turns.next()
        places.push(this.placeOf(text, reference, html))
      }
    }
    return places
  }

  /** Read once, because that takes a while. */
  private htmlOf(text: BundleText): HtmlImages | null {
    if (text.role !== 'html') return null
    const html = this.pages.get(text) ?? imagesOfHtml(text.text)
    this.pages.set(text, html)
    return html
  }

  private placeOf(text: BundleText, reference: Reference, html: HtmlImages | null): Place {
    const image = html?.images.find(({ src }) => inside([src], reference)) ?? null
    const keeps = text.role === 'keep-format' || inside(html?.keepFormat ?? [], reference)
    const isFixed = this.fixed.has(reference.fileName)
    if (image && this.optimizer.options.html === 'picture' && !image.hasChoice && !isFixed) {
      return { text, reference, use: 'picture', image }
    }
    return { text, reference, use: keeps || isFixed || !this.optimizer.options.convert ? 'keep' : 'convert', image }
  }

  /** Has an image encoded for a use, once. */
  private ask(image: BundleImage, use: Use): Promise<Answer> {
    const key = `${use}:${image.fileName}`
    const answer = this.answers.get(key) ?? this.encode(image, use)
    this.answers.set(key, answer)
    return answer
  }

  private async encode(image: BundleImage, use: Use): Promise<Answer> {
    const { source, bytes } = image
    const own = await this.ownOf(image)
    if (own) return { ...own.answer, encoded: own.answer.encoded && { ...own.answer.encoded, images: [own.image] } }
    const request = { widths: [], formats: null, placeholder: null }
    if (use === 'picture') return this.optimizer.picture(source, bytes, request)
    return this.optimizer.image(source, bytes, use === 'convert')
  }

  /** Puts the files for a use into the bundle, once. */
  private async make(image: BundleImage, use: Use, fixedName?: string): Promise<void> {
    const key = `${use}:${image.fileName}`
    if (this.made.has(key)) return
    if (image.settled && isSettled(image, use)) {
      this.made.set(key, { fileName: image.fileName, size: image.settled, sources: [] })
      return
    }
    const answer = await this.ask(image, use)
    const files = answer.encoded ? filesOfPlan(planPicture(answer.encoded), '').map(({ image: file }) => file) : []
    const names: string[] = []
    for (const file of files) names.push(await this.place(image, file, fixedName))
    // The original, where nothing came of it.
    if (files.length === 0 && !image.settled) this.changes.files.set(image.fileName, image.bytes)
    const { source, before } = (await this.ownOf(image)) ?? { source: image.source, before: image.bytes.length }
    this.optimizer.record(source, before, answer, outputsOf(files, names))
    this.made.set(key, {
      fileName: names[names.length - 1] ?? image.fileName,
      size: files[files.length - 1] ?? null,
      sources: files
        .slice(0, -1)
        .map(({ format }, index) => ({ fileName: names[index] as string, type: mediaType(format) })),
    })
  }

  /** Puts a file into the bundle, in the place of `image`, and says its name. */
  private async place(image: BundleImage, made: EncodedImage, fixedName?: string): Promise<string> {
    const hash = await contentHash(made.data)
    if (image.settled?.hash === hash) return image.fileName
    const fileName = fixedName ?? image.rename(hash, extensionFor(made.format, extensionOf(image.fileName)))
    const there = this.changes.files.get(fileName)
    const differs = (name: string) => {
      const other = this.changes.files.get(name)
      return other ? !made.data.equals(other) : name !== image.fileName && this.isTaken(name)
    }
    const unique = there || fileName !== image.fileName ? uniqueName(fileName, differs) : fileName
    this.changes.files.set(unique, made.data)
    if (unique !== image.fileName && !image.settled) this.changes.removed.add(image.fileName)
    return unique
  }

  private edit({ text, reference, use, image }: Place) {
    const made = this.madeFor(reference.fileName, text.role === 'listing' ? null : use)
    if (!made) return
    const path = (fileName: string) => pathTo(reference, text.fileName, fileName)
    if (made.fileName !== reference.fileName) this.addEdit(text, { ...reference, text: path(made.fileName) })
    if (!image || this.optimizer.options.html !== 'picture') return
    // What stands before the path in the attribute: a base or a host.
    const before = /^[^=]*=\s*["']?([\s\S]*)$/.exec(text.text.slice(image.src.start, reference.start))?.[1] ?? ''
    const sources = made.sources.map(({ fileName, type }) => ({ srcset: before + path(fileName), type }))
    for (const edit of pictureEdits(image, { sources, size: image.hasSize ? null : made.size }))
      this.addEdit(text, edit)
  }

  private madeFor(fileName: string, use: Use | null): Made | undefined {
    const uses: Use[] = use ? [use] : ['convert', 'keep', 'picture']
    return uses.map(each => this.made.get(`${each}:${fileName}`)).find(made => made !== undefined)
  }

  private addEdit({ fileName }: BundleText, { start, end, text }: Edit) {
    const list = this.changes.edits.get(fileName) ?? []
    list.push({ start, end, text })
    this.changes.edits.set(fileName, list)
  }

  /** Small images inside of code as data URLs. */
  private async shrinkInlined(text: BundleText): Promise<void> {
    const keepFormat = this.htmlOf(text)?.keepFormat ?? []
    const answers = new Map<string, Promise<string>>()
    await Promise.all(
      inlineImages(text.text).map(async place => {
        const keeps = inside(keepFormat, place)
        const key = `${keeps} ${place.url}`
        const name = `${text.fileName} (inlined ${answers.size + 1})`
        const answer = answers.get(key) ?? this.shrinkDataUrl(place.url, name, keeps)
        answers.set(key, answer)
        const url = await answer
        if (url !== place.url) this.addEdit(text, { ...place, text: url })
      }),
    )
  }

  private async shrinkDataUrl(url: string, name: string, keepFormat: boolean): Promise<string> {
    const { optimizer } = this
    const inlined = bytesOfDataUrl(url)
    const hash = await contentHash(inlined)
    // A bundler that inlines what we made knows nothing of icons: the source is made anew in its own format.
    const original = keepFormat && optimizer.finished.has(hash) ? await this.sourceOf(hash) : null
    const { include, exclude } = optimizer.options
    // It has no path any more that a pattern could be held against.
    const mayBeMeant = [include, exclude].flat().length === 0
    const isDone = !mayBeMeant || optimizer.ownPlaceholder(url) || optimizer.finished.has(hash) || !sniff(inlined)
    if (original ? sniff(original.bytes) === sniff(inlined) : isDone) return url
    const { source, bytes } = original ?? { source: name, bytes: inlined }
    const answer = await optimizer.image(source, bytes, optimizer.options.convert !== null && !keepFormat)
    const image = answer.encoded?.images[0]
    optimizer.record(source, bytes.length, answer, image ? outputsOf([image], [null]) : [])
    if (!image || (!original && image.data.length >= inlined.length)) return url
    return dataUrl(image.data)
  }

  /**
   * A text that is named by its content gets a name of its new content, and all others follow: first what names no other such
   * text, so that each hash is of the final content. Where they name each other in a circle, one of them has to be the first.
   */
  private async renameTexts(): Promise<void> {
    const named = this.texts.filter(({ rename }) => rename)
    const index = new ReferenceIndex(named.map(({ fileName }) => fileName))
    if (index.size === 0) return
    const found = new Map<string, Reference[]>()
    for (const text of this.texts)
      found.set(text.fileName, await index.findInTurns(text.text, text.fileName, this.turns))
    const byName = new Map(named.map(text => [text.fileName, text]))
    const seen = new Set<string>()
    const settle = async (text: BundleText) => {
      if (seen.has(text.fileName)) return
      seen.add(text.fileName)
      for (const reference of found.get(text.fileName) ?? []) {
        const other = byName.get(reference.fileName)
        if (other) await settle(other)
        const to = this.changes.renamed.get(reference.fileName)
        if (to) this.addEdit(text, { ...reference, text: pathTo(reference, text.fileName, to) })
      }
      await this.renameText(text)
    }
    for (const text of named) await settle(text)
    for (const text of this.texts) await settle(text)
  }

  private async renameText({ fileName, text, rename }: BundleText): Promise<void> {
    const edits = this.changes.edits.get(fileName)
    if (!rename || !edits) return
    const to = rename(await contentHash(Buffer.from(applyEdits(text, edits))), extensionOf(fileName))
    if (to !== fileName) this.changes.renamed.set(fileName, to)
  }
}

/** `text` with its edits, in any order. */
export function applyEdits(text: string, edits: Edit[]): string {
  let result = ''
  let last = 0
  for (const { start, end, text: to } of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(last, start) + to
    last = end
  }
  return result + text.slice(last)
}
