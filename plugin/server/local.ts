// Images from folders of this machine: nothing outside of them, however it is spelled.
import { promises as fs } from 'node:fs'
import { join, sep } from 'node:path'
import { HttpError } from './errors.js'

const notFound = () => new HttpError(404, 'There is no such image.')

const partsOf = (path: string) => path.split('/').filter(segment => segment !== '')

/**
 * The path of a `url` in its only spelling: decoded once, without query, fragment and empty parts, so that one file has one
 * entry in memory. Throws 400 or 404 for what no file of ours is called.
 */
export function localPath(url: string): string {
  let path: string
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '')
  } catch {
    throw new HttpError(400, '`url` is not encoded correctly.')
  }
  if (/[\p{Cc}\\]/u.test(path)) throw new HttpError(400, '`url` has characters that no path has.')
  const segments = partsOf(path)
  // "." and ".." begin with a dot too.
  if (segments.some(segment => segment.startsWith('.') || segment.endsWith('.'))) throw notFound()
  return `/${segments.join('/')}`
}

export interface LocalFile {
  /** The real path, links followed. */
  file: string
  bytes: number
  /** When bytes or date last changed, in milliseconds. The file's own date may be set back, as archives and `cp -p` do. */
  changed: number
}

export type Roots = readonly { prefix: string; folder: string }[]

/** The file that a `localPath` names below one of the roots, links of which are not followed out of it. */
export async function findLocal(path: string, roots: Roots): Promise<LocalFile> {
  const segments = partsOf(path)
  for (const { prefix, folder } of roots) {
    const before = partsOf(prefix)
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
    const parts = file.slice(root.length).split(sep)
    if (parts.some(part => part.startsWith('.'))) return null
    const stat = await fs.stat(file)
    return stat.isFile() ? { file, bytes: stat.size, changed: stat.ctimeMs } : null
  } catch {
    return null
  }
}
