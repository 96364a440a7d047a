// Source files: how reports call them, and how large they are.
import { relative, sep } from 'node:path'
import { inspect } from '../engine.js'

/** The path from `root` with '/' between folders; that of a file elsewhere begins with '../'. */
export const sourceName = (root: string, file: string) => relative(root, file).split(sep).join('/')

/** Width and height as shown; null for what cannot be read. */
export async function sizeOf(bytes: Uint8Array): Promise<{ width: number; height: number } | null> {
  const info = await inspect(bytes).catch(() => null)
  if (!info) return null
  const { width, height, orientation } = info
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}
