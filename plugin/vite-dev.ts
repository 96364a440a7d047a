// `dev: true`: images optimised while a page is developed, each when it is asked for, through the cache.
import { promises as fs } from 'node:fs'
import { basename, extname, join, normalize } from 'node:path'
import type { Connect, ResolvedConfig } from 'vite'
import { contentHash } from './cache/index.js'
import { mediaType } from './core/formats.js'
import { type ImageQuery, parseImageQuery, plainModule, queryModule } from './core/picture.js'
import type { Session } from './core/session.js'
import { sizeOf, sourceName } from './core/source.js'
import type { EncodedImage, Size } from './core/types.js'

const FOLDER = '@pixrace/'

/** Empty for a URL that is none. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ''
  }
}

/** The answer to a query with the file as Vite serves it. */
export const originalModule = (query: ImageQuery, path: string, size: Size | null) =>
  `import url from ${JSON.stringify(`${path}?url`)}\n${plainModule(query, 'url', size)}`

/** What an import was answered with. */
interface Made {
  load: number
  /** By the path of their URL. */
  files: Map<string, EncodedImage>
}

export class DevImages {
  /** By import: the files of a changed image take the place of the old ones. */
  private readonly made = new Map<string, Made>()
  private loads = 0

  constructor(
    private readonly session: Session,
    private readonly config: ResolvedConfig,
  ) {}

  /** The module of a `?picture` or `?smallest` import: its files are made now and served from memory. */
  async load(id: string, watch: (file: string) => void): Promise<string | null> {
    const asked = parseImageQuery(id)
    if (!asked) return null
    const load = ++this.loads
    const { file, query } = asked
    watch(file)
    const bytes = await fs.readFile(file)
    const source = sourceName(this.session.root, file)
    const { encoded, leftAlone } = await this.session.optimizer.answer(source, bytes, query)
    if (!encoded) {
      this.config.logger.warn(`pixrace: ${source}: ${leftAlone?.message}`)
      return originalModule(query, file, await sizeOf(bytes))
    }
    const { files: parts, code } = queryModule(query, encoded, basename(file, extname(file)))
    const files = new Map<string, EncodedImage>()
    const urls: string[] = []
    for (const { image, name, ext } of parts) {
      const path = `${FOLDER}${await contentHash(image.data)}/${encodeURIComponent(`${name}.${ext}`)}`
      files.set(`/${path}`, image)
      urls.push(JSON.stringify(`${this.config.base}${path}`))
    }
    this.keep(JSON.stringify(asked), { load, files })
    return code(urls)
  }

  /** Not if the image has changed meanwhile, and what became of it is there already. */
  private keep(key: string, made: Made): void {
    if (made.load > (this.made.get(key)?.load ?? 0)) this.made.set(key, made)
  }

  readonly middleware: Connect.NextHandleFunction = (request, response, next) => {
    this.find(request).then(image => {
      if (!image) return next()
      response.setHeader('Content-Type', mediaType(image.format))
      response.setHeader('Content-Length', image.data.length)
      response.setHeader('Cache-Control', 'no-cache')
      response.end(request.method === 'HEAD' ? undefined : image.data)
    }, next)
  }

  private async find({ method, url = '' }: Connect.IncomingMessage): Promise<EncodedImage | null> {
    if (method !== 'GET' && method !== 'HEAD') return null
    const [path = '', query] = url.split('?')
    const below = path.startsWith(this.config.base) ? `/${path.slice(this.config.base.length)}` : path
    for (const { files } of this.made.values()) {
      const image = files.get(below)
      if (image) return image
    }
    // Imports of modules have a query; Vite's own `?t=` of a changed file is none of them.
    if (query && !/^t=\d+$/.test(query)) return null
    const file = await this.fileOf(decoded(below))
    if (!file) return null
    const source = sourceName(this.session.root, file)
    if (!this.session.filter.isImage(source)) return null
    const { encoded, leftAlone } = await this.session.optimizer.image(source, await fs.readFile(file), false)
    if (leftAlone?.code === 'failed') this.config.logger.warnOnce(`pixrace: ${source}: ${leftAlone.message}`)
    return encoded?.images[0] ?? null
  }

  /** The file that Vite would serve; what it would refuse stays its own business. */
  private async fileOf(path: string): Promise<string | null> {
    if (path.includes('\0') || path.startsWith('/@')) return null
    for (const folder of [this.config.publicDir, this.config.root].filter(Boolean)) {
      const file = normalize(join(folder, path))
      if (!file.startsWith(normalize(`${folder}/`))) continue
      const stat = await fs.stat(file).catch(() => null)
      if (stat?.isFile()) return file
    }
    return null
  }
}
