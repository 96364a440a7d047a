// Called by Next when a static export is complete: writes every image that its pages name.
import { promises as fs } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ImageJob } from './core/jobs.js'
import { outputsOf } from './core/optimizer.js'
import { Session } from './core/session.js'
import { canResize, shownSize } from './core/source.js'
import { eachOf } from './core/turns.js'
import { inspect } from './engine.js'

interface BuildContext {
  projectDir: string
  config: { output?: string; basePath?: string; distDir?: string }
}

interface Wanted {
  /** Path of the source below the output folder. */
  source: string
  /** Path of the file to write, below the same. */
  fileName: string
  width: number
  minScore: number
  format: 'avif' | 'webp'
}

const TEXT = /\.(?:html|txt|js|json|css)$/
const NAME = /\/_pixrace(\/[^\s"'\\<>()?#,]+)\/(\d{1,5})-(\d{1,3})\.(avif|webp)/g
/** Files that are read at once. */
const MAX_OPEN = 16

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

async function wantedIn(folder: string): Promise<Wanted[]> {
  const found = new Map<string, Wanted>()
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true })
  const texts = entries.filter(entry => entry.isFile() && TEXT.test(entry.name))
  await eachOf(texts, MAX_OPEN, async ({ parentPath, name }) => {
    const text = await fs.readFile(join(parentPath, name), 'utf8')
    for (const [, source = '', width, score, format] of text.matchAll(NAME)) {
      const decoded = decode(source)
      if (decoded === null || decoded.split('/').includes('..')) continue
      const wanted = { width: Number(width), minScore: Number(score), format: format as 'avif' }
      const fileName = `_pixrace${decoded}/${width}-${score}.${format}`
      found.set(fileName, { ...wanted, source: decoded.slice(1), fileName })
    }
  })
  return [...found.values()].sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
}

/** A still of the format; an animation is a WebP, whatever its name says, because browsers look at the bytes. */
async function jobFor({ width, minScore, format }: Wanted, bytes: Buffer, session: Session): Promise<ImageJob> {
  const engine = { ...session.options.engine, minScore }
  // What cannot be read is told of where it is made.
  const info = await inspect(bytes).catch(() => null)
  // None is enlarged: those above its own width are the same file, and made once.
  const resize = { width: info ? Math.min(width, shownSize(info).width) : width }
  if (!info || info.pages === 1) return { kind: 'image', formats: [format], resize, keepOriginal: false, engine }
  return { kind: 'image', formats: ['webp'], ...(canResize(info) && { resize }), engine }
}

async function write(session: Session, folder: string, wanted: Wanted, bytes: Buffer): Promise<void> {
  const { source, fileName } = wanted
  const job = await jobFor(wanted, bytes, session)
  const answer = await session.optimizer.ask(source, bytes, job)
  const image = answer.encoded?.images[0]
  // Fewer pixels in more bytes happen to small animations.
  const isBetter = image && (job.keepOriginal === false || image.data.length < bytes.length)
  const file = join(folder, fileName)
  await fs.mkdir(dirname(file), { recursive: true })
  await fs.writeFile(file, isBetter ? image.data : bytes)
  session.optimizer.record(source, bytes.length, answer, isBetter ? outputsOf([image], [fileName]) : [])
}

/** Writes all images that are named, and gives the names of those that are not there. */
async function writeAll(session: Session, folder: string): Promise<Set<string>> {
  const missing = new Set<string>()
  await eachOf(await wantedIn(folder), MAX_OPEN, async wanted => {
    const bytes = await fs.readFile(join(folder, wanted.source)).catch(() => null)
    if (bytes) await write(session, folder, wanted, bytes)
    else missing.add(`/${wanted.source}`)
  })
  return missing
}

const adapter = {
  name: 'pixrace',
  async onBuildComplete({ projectDir, config }: BuildContext): Promise<void> {
    if (config.output !== 'export') return
    const { distDir = '.next' } = config
    const folder = join(projectDir, distDir === '.next' ? 'out' : distDir)
    const session = new Session({}, projectDir)
    await session.begin()
    const missing = await writeAll(session, folder)
    const error = await session.end()
    await session.close()
    if (error) throw error
    if (missing.size === 0) return
    const list = [...missing].sort().join(', ')
    const message = `pages name images that are not in the export: ${list}. \`unoptimized\` is for what is elsewhere.`
    throw Object.assign(new Error(`pixrace: ${message}`), { code: 'ERR_PIXRACE_BUILD' })
  },
}

export default adapter
