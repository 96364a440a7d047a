// Files that are copied into the output folder as they are: optimised there, under the same name and in the same format.
import { randomUUID } from 'node:crypto'
import { promises as fs } from 'node:fs'
import { join, sep } from 'node:path'
import { outputsOf } from './optimizer.js'
import type { Session } from './session.js'
import { eachOf } from './turns.js'

/** Paths of all files below `folder`, relative to it; symbolic links to folders are not followed. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => !entry.isDirectory()).map(entry => join(entry.parentPath, entry.name))
  return paths.map(path => path.slice(folder.length + 1)).sort()
}

async function writeAtomically(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`
  try {
    await fs.writeFile(temporary, bytes)
    await fs.rename(temporary, file)
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  }
}

/** Optimises what was copied from `publicDir` to `outDir`. `prefix` is how the report calls the first. */
export async function optimizePublic(
  session: Session,
  publicDir: string,
  outDir: string,
  prefix: string,
): Promise<void> {
  const { optimizer, filter } = session
  const one = async (path: string) => {
    const slashed = path.split(sep).join('/')
    const source = `${prefix}/${slashed}`
    const file = join(outDir, path)
    if (filter.isOther(source)) optimizer.leaveOther(source, { length: (await fs.stat(file)).size })
    if (!filter.isImage(source)) return
    const bytes = await fs.readFile(file)
    const answer = await optimizer.image(source, bytes, false)
    const image = answer.encoded?.images[0]
    if (image && !image.data.equals(bytes)) await writeAtomically(file, image.data)
    optimizer.record(source, bytes.length, answer, image ? outputsOf([image], [slashed]) : [])
  }
  await eachOf(await filesBelow(publicDir), MAX_OPEN, one)
}

/** Files that are open, and in memory, at once. */
const MAX_OPEN = 16
