// Called by Next when a static export is complete: writes every image that its pages name.
import { promises as fs } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ImageJob } from './core/jobs.js'
import { outputsOf } from './core/optimizer.js'
import { Session } from './core/session.js'
import { eachOf } from './core/turns.js'

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

async function wantedIn(folder: string): Promise<Wanted[]> {
  const found = new Map<string, Wanted>()
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true })
  const texts = entries.filter(entry => entry.isFile() && TEXT.test(entry.name))
  await eachOf(texts, MAX_OPEN, async ({ parentPath, name }) => {
    const text = await fs.readFile(join(parentPath, name), 'utf8')
    for (const [path, source = '', width, score, format] of text.matchAll(NAME)) {
      const decoded = decodeURIComponent(source)
      if (decoded.split('/').includes('..')) continue
      const wanted = { width: Number(width), minScore: Number(score), format: format as 'avif' }
      found.set(path, { ...wanted, source: decoded.slice(1), fileName: decodeURIComponent(path).slice(1) })
    }
  })
  return [...found.values()].sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
}

async function write(session: Session, folder: string, wanted: Wanted): Promise<void> {
  const { source, fileName, width, minScore, format } = wanted
  const bytes = await fs.readFile(join(folder, source))
  const { engine } = session.options
  const job: ImageJob = {
    ...{ kind: 'image', formats: [format], resize: { width }, keepOriginal: false },
    engine: { ...engine, minScore },
  }
  const answer = await session.optimizer.ask(source, bytes, job)
  const image = answer.encoded?.images[0]
  const file = join(folder, fileName)
  await fs.mkdir(dirname(file), { recursive: true })
  // An animation cannot be an AVIF: browsers look at the bytes, whatever the name says.
  await fs.writeFile(file, image?.data ?? bytes)
  session.optimizer.record(source, bytes.length, answer, image ? outputsOf([image], [fileName]) : [])
}

const adapter = {
  name: 'pixrace',
  async onBuildComplete({ projectDir, config }: BuildContext): Promise<void> {
    if (config.output !== 'export') return
    const { distDir = '.next' } = config
    const folder = join(projectDir, distDir === '.next' ? 'out' : distDir)
    const session = new Session({}, projectDir)
    await session.begin()
    await eachOf(await wantedIn(folder), MAX_OPEN, wanted => write(session, folder, wanted))
    const error = await session.end()
    await session.close()
    if (error) throw error
  },
}

export default adapter
