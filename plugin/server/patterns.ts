// Which images may be asked for, by patterns as Next.js has them. `*` in a host name or path is one part of it, `**` any number.

/** Of other servers: all that is given has to match. */
export interface RemotePattern {
  protocol?: 'http' | 'https'
  hostname: string
  port?: string
  pathname?: string
  search?: string
}

/** Of this site: all that is given has to match; `search` is the query with its question mark, or ''. */
export interface LocalPattern {
  pathname?: string
  search?: string
}

function glob(pattern: string, separator: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map(part => {
    if (part === '**') return '.*'
    return part === '*' ? `[^${separator}]+` : part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}

const fits = ({ pathname = '**', search }: LocalPattern, path: string, query: string): boolean =>
  (search === undefined || search === query) && glob(pathname, '/').test(path)

/** Whether a pattern allows a URL. */
export const isAllowed = (url: URL, patterns: readonly RemotePattern[]): boolean =>
  patterns.some(({ protocol, hostname, port, ...rest }) => {
    if (protocol !== undefined && `${protocol}:` !== url.protocol) return false
    if (port !== undefined && port !== url.port) return false
    return glob(hostname.toLowerCase(), '.').test(url.hostname) && fits(rest, url.pathname, url.search)
  })

/** Whether a pattern allows a path in its only spelling (`localPath`) that came in `url`. */
export function isAllowedHere(path: string, url: string, patterns: readonly LocalPattern[]): boolean {
  const [query = ''] = /\?[^#]*/.exec(url) ?? []
  return patterns.some(pattern => fits(pattern, path, query))
}
