// One cache entry as bytes: magic, layout version, length of the header, the header as JSON, the images back to back, and
// a SHA-256 over all of it.
import { webcrypto } from 'node:crypto'
import type { CandidateSummary, Encoded, EncodedImage } from '../core/types.js'
import type { Candidate, ImageInfo, LayoutSize, Warning } from '../engine.js'

/** Goes up with every change of an entry's layout. It is part of the keys too, so versions do not get in each other's way. */
export const LAYOUT_VERSION = 1

const MAGIC = Buffer.from('pixrace\0', 'latin1')
/** Magic, version and header length; the two numbers are of 32 bits, little-endian. */
const PREFIX_BYTES = MAGIC.length + 8
const DIGEST_BYTES = 32

type ImageHeader = Omit<EncodedImage, 'data'> & { bytes: number }
type Header = Omit<Encoded, 'images'> & { key: string; images: ImageHeader[] }

/** SHA-256, computed on a thread of libuv: the event loop goes on beside large files. */
export async function sha256(bytes: Uint8Array): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes))
}

/** The bytes that `decodeEntry` reads. */
export async function encodeEntry(key: string, { images, placeholder, input, warnings }: Encoded): Promise<Buffer> {
  const headers = images.map(({ data, candidates, ...image }) => ({
    ...image,
    candidates: candidates.map(withoutFile),
    bytes: data.length,
  }))
  const header: Header = { key, images: headers, placeholder, input, warnings }
  const json = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(PREFIX_BYTES)
  MAGIC.copy(prefix)
  prefix.writeUInt32LE(LAYOUT_VERSION, MAGIC.length)
  prefix.writeUInt32LE(json.length, MAGIC.length + 4)
  const entry = Buffer.concat([prefix, json, ...images.map(({ data }) => data), Buffer.alloc(DIGEST_BYTES)])
  const digest = await sha256(entry.subarray(0, -DIGEST_BYTES))
  digest.copy(entry, entry.length - DIGEST_BYTES)
  return entry
}

// A whole `Candidate` fits the type of a summary, and its file would end up in the JSON.
function withoutFile(candidate: CandidateSummary): CandidateSummary {
  const { data: _, ...summary } = candidate as Candidate
  return summary
}

/** What was cached under `key`, its images as views of `bytes`; null if anything about the bytes is wrong. */
export async function decodeEntry(key: string, bytes: Uint8Array): Promise<Encoded | null> {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = entry.length - DIGEST_BYTES
  if (end < PREFIX_BYTES || !entry.subarray(0, MAGIC.length).equals(MAGIC)) return null
  if (entry.readUInt32LE(MAGIC.length) !== LAYOUT_VERSION) return null
  const imagesStart = PREFIX_BYTES + entry.readUInt32LE(MAGIC.length + 4)
  if (imagesStart > end || !(await sha256(entry.subarray(0, end))).equals(entry.subarray(end))) return null
  const header = parseHeader(entry.toString('utf8', PREFIX_BYTES, imagesStart))
  if (header?.key !== key) return null
  if (header.images.reduce((sum, { bytes }) => sum + bytes, imagesStart) !== end) return null
  let at = imagesStart
  const images = header.images.map(({ bytes, ...image }) => {
    at += bytes
    return { ...image, data: entry.subarray(at - bytes, at) }
  })
  return { images, placeholder: header.placeholder, input: header.input, warnings: header.warnings }
}

type Check = (value: unknown) => boolean

const isString: Check = value => typeof value === 'string'
const isBoolean: Check = value => typeof value === 'boolean'
const isNumber: Check = value => typeof value === 'number'
const isCount: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
const oneOf = (values: readonly unknown[]): Check => {
  return value => values.includes(value)
}
const either = (one: Check, other: Check): Check => {
  return value => one(value) || other(value)
}
const listOf = (holds: Check): Check => {
  return value => Array.isArray(value) && value.every(holds)
}
/** Names every field of the type, so that a new one cannot be forgotten here. */
const shapeOf = <T>(fields: Record<keyof T, Check>): Check => {
  const checks = Object.entries<Check>(fields)
  return value => {
    if (typeof value !== 'object' || value === null) return false
    return checks.every(([name, holds]) => holds((value as Record<string, unknown>)[name]))
  }
}

const isNull = oneOf([null])
// A file's extension is made of it.
const isFormat = oneOf(['avif', 'webp', 'jpeg', 'png', 'gif'])
const isHeader = shapeOf<Header>({
  key: isString,
  images: listOf(
    shapeOf<ImageHeader>({
      format: isFormat,
      width: isCount,
      height: isCount,
      quality: either(isNumber, isNull),
      score: either(isNumber, isNull),
      isOriginal: isBoolean,
      passed: isBoolean,
      candidates: listOf(
        shapeOf<CandidateSummary>({
          format: isFormat,
          bytes: either(isCount, isNull),
          quality: either(isNumber, isNull),
          score: either(isNumber, isNull),
          encodes: isNumber,
          elapsedMs: isNumber,
          outcome: isString,
        }),
      ),
      bytes: isCount,
    }),
  ),
  placeholder: either(isString, isNull),
  input: shapeOf<ImageInfo>({
    format: isFormat,
    width: isCount,
    height: isCount,
    layout: either(shapeOf<LayoutSize>({ width: isCount, height: isCount }), oneOf([undefined])),
    bytes: isCount,
    hasAlpha: isBoolean,
    bitDepth: isCount,
    orientation: isCount,
    pages: isCount,
    colorSpace: isString,
  }),
  warnings: listOf(
    shapeOf<Warning>({ code: isString, format: either(isFormat, oneOf([undefined])), message: isString }),
  ),
})

function parseHeader(json: string): Header | null {
  try {
    const header = JSON.parse(json)
    return isHeader(header) ? header : null
  } catch {
    return null
  }
}
