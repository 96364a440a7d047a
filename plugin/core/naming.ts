// Names of output files: a hash of the final bytes, in the template of the bundler.
import { posix } from 'node:path'

export interface NameParts {
  /** Base name without extension. */
  name: string
  /** Hash of the content, in base64url. */
  hash: string
  /** Extension without dot. */
  ext: string
}

/** As many characters as Rollup takes. */
const HASH_LENGTH = 8

/**
 * What a template's tokens stand for. [ext] is 'png' in Rollup's templates and in `fileName`, and '.png' in webpack's.
 * Folders of the source are not known here, so [path] is empty.
 */
export function fillTemplate(template: string, { name, hash, ext }: NameParts, dialect: 'rollup' | 'webpack'): string {
  return template.replace(/\[([a-z]+)(?::(\d+))?\]/gi, (token, key: string, length?: string) => {
    switch (key) {
      case 'name':
        return name
      case 'hash':
      case 'contenthash':
        return hash.slice(0, length ? Number(length) : HASH_LENGTH)
      case 'ext':
        return dialect === 'webpack' ? `.${ext}` : ext
      case 'extname':
        return `.${ext}`
      case 'base':
        return `${name}.${ext}`
      case 'path':
      case 'query':
      case 'fragment':
        return ''
      default:
        return token
    }
  })
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

/**
 * Reads the name of an asset back through the base name of its template; null where it does not fit: the file was named by
 * hand. Without [hash] in the template `hashed` is false.
 */
export function readName(fileName: string, template: string): { name: string; hashed: boolean } | null {
  const pattern = posix.basename(template)
  let name = '(?<name>.+?)'
  const part = (key: string): string => {
    if (key === 'ext') return '[^.]+'
    if (key === 'extname') return '\\.[^.]+'
    if (key === 'base') return `${part('name')}\\.[^.]+`
    if (key !== 'name') return '.*'
    const first = name
    // The second time it is the same.
    name = '\\k<name>'
    return first
  }
  const source = pattern.split(/(\[[a-z]+(?::\d+)?\])/i).map(piece => {
    const [, key, length] = /^\[([a-z]+)(?::(\d+))?\]$/i.exec(piece) ?? []
    if (!key) return literally(piece)
    return key === 'hash' ? `[\\w-]{${length ?? HASH_LENGTH}}` : part(key)
  })
  const found = new RegExp(`^${source.join('')}$`).exec(posix.basename(fileName))
  return found ? { name: found.groups?.name ?? '', hashed: pattern.includes('[hash') } : null
}

/** `fileName` unless `taken` says no; then the first of name2.ext, name3.ext, … as Rollup numbers them. */
export function uniqueName(fileName: string, taken: (fileName: string) => boolean): string {
  const { dir, name, ext } = posix.parse(fileName)
  let unique = fileName
  for (let number = 2; taken(unique); number++) unique = posix.join(dir, `${name}${number}${ext}`)
  return unique
}

export const extensionOf = (fileName: string) => posix.extname(fileName).slice(1)
export const withExtension = (fileName: string, ext: string) => {
  const { dir, name } = posix.parse(fileName)
  return posix.join(dir, `${name}.${ext}`)
}
