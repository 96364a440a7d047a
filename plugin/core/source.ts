// Source files: how reports call them, and how large they are.
import { isAbsolute, relative, sep } from 'node:path'
import { inspect } from '../engine.js'

/** The path below `root` with '/' between folders; the whole path of a file elsewhere. */
export const sourceName = (root: string, file: string) => {
  const path = relative(root, file)
  return (isAbsolute(path) || path.startsWith('..') ? file : path).split(sep).join('/')
}

/** The path from `root`, also of a file elsewhere: how webpack and Rspack call modules. */
export const pathFrom = (root: string, file: string) => relative(root, file).split(sep).join('/')

/** Width and height as shown; null for what cannot be read. */
export async function sizeOf(bytes: Uint8Array): Promise<{ width: number; height: number } | null> {
  const info = await inspect(bytes).catch(() => null)
  if (!info) return null
  const { width, height, orientation } = info
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}
