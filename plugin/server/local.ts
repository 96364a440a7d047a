// Images from folders of this machine: nothing outside of them, however it is spelled.
import { promises as fs } from 'node:fs'
import { join, sep } from 'node:path'
import { HttpError } from './errors.js'

const notFound = () => new HttpError(404, 'There is no such image.')

/** The parts of a URL path, decoded once; throws 400 or 404 for what no file of ours is called. */
function segmentsOf(pathname: string): string[] {
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch {
    throw new HttpError(400, '`url` is not encoded correctly.')
  }
  if (/[\p{Cc}\\]/u.test(path)) throw new HttpError(400, '`url` has characters that no path has.')
  const segments = path.split('/').filter(segment => segment !== '')
  // "." and ".." begin with a dot too.
  if (segments.some(segment => segment.startsWith('.') || segment.endsWith('.'))) throw notFound()
  return segments
}

export interface LocalFile {
  /** The real path, links followed. */
  file: string
  bytes: number
  /** Of the last change, in milliseconds. */
  changed: number
}

export type Roots = readonly { prefix: string; folder: string }[]

/** The file that a URL path names below one of the roots, links of which are not followed out of it. */
export async function findLocal(pathname: string, roots: Roots): Promise<LocalFile> {
  const segments = segmentsOf(pathname)
  for (const { prefix, folder } of roots) {
    const before = prefix.split('/').filter(segment => segment !== '')
    if (before.some((segment, index) => segments[index] !== segment)) continue
    const found = await below(folder, segments.slice(before.length))
    if (found) return found
  }
  throw notFound()
}

async function below(folder: string, segments: string[]): Promise<LocalFile | null> {
  try {
    const [root, file] = await Promise.all([fs.realpath(folder), fs.realpath(join(folder, ...segments))])
    if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) return null
    if (
      file
        .slice(root.length)
        .split(sep)
        .some(segment => segment.startsWith('.'))
    )
      return null
    const stat = await fs.stat(file)
    return stat.isFile() ? { file, bytes: stat.size, changed: stat.mtimeMs } : null
  } catch {
    return null
  }
}
