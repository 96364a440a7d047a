// Cache entries as files of one folder, for many processes at once. A file is written beside its place and renamed, so a
// reader sees all of it or nothing. Nothing is synced to the disk: what a power cut leaves behind fails its checksum.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { defineDriver } from 'unstorage'

const ENTRY = /^[0-9a-f]{64}$/
const SUBFOLDER = /^[0-9a-f]{2}$/
const TEMPORARY = /\.tmp$/
/** No write takes that long: the process that began such a file is gone. */
const STALE_MS = 60 * 60 * 1000
/** Files removed at once: enough to keep libuv's threads busy. */
const BATCH = 64

export interface FileDriverOptions {
  /** The folder; made when the first entry is written. */
  dir: string
}

/** A driver of unstorage. Keys are 64 hexadecimal digits; folders are spread by the first two. */
export const fileDriver = defineDriver(({ dir }: FileDriverOptions) => {
  const pathOf = (key: string) => {
    if (!ENTRY.test(key)) throw new Error(`not a cache key: ${key}`)
    return join(dir, key.slice(0, 2), key)
  }
  return {
    name: 'pixrace-files',
    options: { dir },
    hasItem: async key => (await unlessGone(stat(pathOf(key)))) !== null,
    getItem: async key => (await read(pathOf(key)))?.toString() ?? null,
    getItemRaw: key => read(pathOf(key)),
    setItem: (key, value) => write(pathOf(key), value),
    setItemRaw: (key, value) => write(pathOf(key), value),
    removeItem: key => rm(pathOf(key), { force: true }),
    getKeys: async () => (await list(dir)).entries.map(({ key }) => key),
  }
})

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? ''

/** What the call gives; null where there is no such file, or no longer. */
async function unlessGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function read(path: string): Promise<Buffer | null> {
  const bytes = await unlessGone(readFile(path))
  // The date of the last use, for `prune`. A folder that only can be read is a good cache all the same.
  const now = new Date()
  if (bytes) await utimes(path, now, now).catch(() => {})
  return bytes
}

async function write(path: string, value: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    // Two attempts, because the folder is missing the first time, and may be cleared by somebody in between.
    if ((await unlessGone(place(value, temporary, path))) !== null) return
    await mkdir(dirname(path), { recursive: true })
    await place(value, temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

async function place(value: string | Uint8Array, temporary: string, path: string): Promise<true> {
  await writeFile(temporary, value, { flag: 'wx' })
  try {
    await rename(temporary, path)
  } catch (error) {
    // Windows does not replace a file that somebody has open. Under one key there is only one content.
    if (!['EPERM', 'EACCES', 'EBUSY', 'EEXIST'].includes(codeOf(error)) || !(await stat(path)).isFile()) throw error
    await rm(temporary, { force: true })
  }
  return true
}

interface Entry {
  key: string
  path: string
  bytes: number
  usedMs: number
}

async function list(dir: string): Promise<{ entries: Entry[]; stale: string[] }> {
  const entries: Entry[] = []
  const stale: string[] = []
  const old = Date.now() - STALE_MS
  for (const folder of (await unlessGone(readdir(dir))) ?? []) {
    if (!SUBFOLDER.test(folder)) continue
    const names = (await unlessGone(readdir(join(dir, folder)))) ?? []
    await Promise.all(
      names.map(async key => {
        const path = join(dir, folder, key)
        const file = await unlessGone(stat(path))
        if (!file?.isFile()) return
        if (ENTRY.test(key)) entries.push({ key, path, bytes: file.size, usedMs: file.mtimeMs })
        else if (TEMPORARY.test(key) && file.mtimeMs < old) stale.push(path)
      }),
    )
  }
  return { entries, stale }
}

/** Removes what dead writers left behind, and the least recently used entries until the others have at most `maxBytes`. */
export async function pruneFolder(dir: string, maxBytes: number): Promise<void> {
  const { entries, stale } = await list(dir)
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
  const unwanted = [...stale]
  for (const { path, bytes } of entries.sort((one, other) => one.usedMs - other.usedMs)) {
    if (total <= maxBytes) break
    total -= bytes
    unwanted.push(path)
  }
  for (let at = 0; at < unwanted.length; at += BATCH) {
    await Promise.all(unwanted.slice(at, at + BATCH).map(path => rm(path, { force: true })))
  }
}
