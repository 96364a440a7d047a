// The image formats that the engine reads, by their first bytes, extensions and media types.
import type { ImageInfo } from '../engine.js'

export type InputFormat = ImageInfo['format']

const EXTENSIONS: Record<InputFormat, string[]> = {
  avif: ['avif'],
  webp: ['webp'],
  jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'],
  png: ['png', 'apng'],
  gif: ['gif'],
}

/** Files that the engine reads. */
export const IMAGE_FILE = /\.(?:avif|webp|jpe?g|jpe|jfif|a?png|gif)$/i
/** Files that hold an image which the engine does not read: the report says that they were left alone. */
export const OTHER_IMAGE_FILE = /\.(?:svg|ico|bmp|tiff?|jxl|heic|heif)$/i

const hex = (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString('hex')
const ascii = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.subarray(start, end)).toString('latin1')

/** The format of a file by its first bytes; null for what the engine does not read. */
export function sniff(bytes: Uint8Array): InputFormat | null {
  if (hex(bytes, 0, 3) === 'ffd8ff') return 'jpeg'
  if (hex(bytes, 0, 8) === '89504e470d0a1a0a') return 'png'
  if (ascii(bytes, 0, 4) === 'GIF8') return 'gif'
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp'
  if (ascii(bytes, 4, 8) === 'ftyp' && /avi[fs]/.test(ascii(bytes, 8, 64))) return 'avif'
  return null
}

/** The extension, without a dot, that a file of `format` gets; `current` stays where it says the format already. */
export function extensionFor(format: InputFormat, current: string): string {
  const known = EXTENSIONS[format]
  return known.includes(current.toLowerCase()) ? current : (known[0] as string)
}

export const mediaType = (format: InputFormat) => `image/${format}`

/** A file as a URL, of the media type that its bytes say. */
export function dataUrl(bytes: Buffer): string {
  const format = sniff(bytes)
  return `data:${format ? mediaType(format) : 'application/octet-stream'};base64,${bytes.toString('base64')}`
}
