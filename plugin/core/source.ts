// Source files: how reports call them, how large they are, and whether another size can be made.
import { relative, sep } from 'node:path'
import { type ImageInfo, inspect } from '../engine.js'
import type { Size } from './types.js'

/** The path from `root` with '/' between folders; that of a file elsewhere begins with '../'. */
export const sourceName = (root: string, file: string) => relative(root, file).split(sep).join('/')

/** Width and height in pixels, upright: the sides change places where the orientation turns the picture. */
export const shownSize = ({ width, height, orientation }: ImageInfo): Size =>
  orientation >= 5 ? { width: height, height: width } : { width, height }

/** The same of a file; null for what cannot be read. */
export async function pixelsOf(bytes: Uint8Array): Promise<Size | null> {
  const info = await inspect(bytes).catch(() => null)
  return info && shownSize(info)
}

/** Width and height that a page gives it, in CSS pixels; null for what cannot be read. */
export async function sizeOf(bytes: Uint8Array): Promise<Size | null> {
  const info = await inspect(bytes).catch(() => null)
  return info && (info.layout ?? shownSize(info))
}

/** An animated PNG or AVIF cannot be resized: it stays as it is. */
export const canResize = ({ pages, format }: ImageInfo): boolean =>
  pages === 1 || (format !== 'png' && format !== 'avif')
