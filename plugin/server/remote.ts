// Images from other servers: only those that are allowed, at public addresses, within bounds of size and time.
import { lookup as systemLookup } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { isPrivateAddress } from './addresses.js'
import { HttpError } from './errors.js'
import { isAllowed, type RemotePattern } from './patterns.js'

/** Gives the addresses of a host name. */
export type Resolver = (hostname: string) => Promise<string[]>

export interface RemoteOptions {
  patterns: readonly RemotePattern[]
  /** Whether addresses of private networks may be asked. */
  allowPrivateNetwork: boolean
  resolver: Resolver
  maxBytes: number
  /** For everything: redirects, headers and body. */
  timeoutMs: number
}

export interface RemoteImage {
  bytes: Buffer
  /** For how long the upstream says that it stays the same, in seconds; null if it does not say. */
  maxAge: number | null
}

const MAX_REDIRECTS = 3
/** Longest `max-age` that is believed. */
const YEAR_S = 31_536_000
const REDIRECTS = [301, 302, 303, 307, 308]

const resolveAll = promisify(systemLookup)
/** The system's: /etc/hosts and DNS. */
export const systemResolver: Resolver = async hostname => {
  const found = await resolveAll(hostname, { all: true })
  return found.map(({ address }) => address)
}

const refused = () => new HttpError(400, '`url` is not allowed.')
const unreachable = () => new HttpError(502, 'The image cannot be fetched.')

/** Whether a URL may be asked, as far as it can be told before its host name is resolved. */
export function mayFetch(url: URL, { patterns, allowPrivateNetwork }: RemoteOptions): boolean {
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:'
  if (!isHttp || url.username !== '' || url.password !== '') return false
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) && !allowPrivateNetwork && isPrivateAddress(host)) return false
  return isAllowed(url, patterns)
}

type LookupCallback = (error: Error | null, addresses: { address: string; family: number }[]) => void

/** For the connection itself, so that no second answer of the name server can lead elsewhere. */
function safeLookup({ allowPrivateNetwork, resolver }: RemoteOptions) {
  // A resolver may throw, and give anything.
  const addressesOf = async (hostname: string) => {
    const addresses = await resolver(hostname)
    if (addresses.length === 0 || !addresses.every(isIP)) throw unreachable()
    if (!allowPrivateNetwork && addresses.some(isPrivateAddress)) throw refused()
    return addresses.map(address => ({ address, family: isIP(address) }))
  }
  return (hostname: string, _options: unknown, callback: LookupCallback) => {
    addressesOf(hostname).then(
      addresses => callback(null, addresses),
      error => callback(error instanceof HttpError ? error : unreachable(), []),
    )
  }
}

function request(url: URL, options: RemoteOptions, signal: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { get } = url.protocol === 'https:' ? https : http
    // No cookie, no authorisation, nothing of the client's.
    const headers = { accept: 'image/*', 'user-agent': 'pixrace', 'accept-encoding': 'identity' }
    // `autoSelectFamily` has the lookup asked for all addresses, whatever the process's default is.
    const settings = {
      headers,
      signal,
      lookup: safeLookup(options) as never,
      agent: false as const,
      autoSelectFamily: true,
    }
    const sent = get(url, settings, resolve)
    sent.on('error', reject)
    // Without an error after an answer that is none, as a 101; the slot must not be held for ever.
    sent.on('close', () => reject(unreachable()))
  })
}

async function bodyOf(message: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new HttpError(413, 'The image is too large.')
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function maxAgeOf({ headers }: http.IncomingMessage): number | null {
  const control = headers['cache-control'] ?? ''
  const age = /(?:^|[\s,])s-maxage="?(\d+)/i.exec(control) ?? /(?:^|[\s,])max-age="?(\d+)/i.exec(control)
  return age ? Math.min(Number(age[1]), YEAR_S) : null
}

/** Fetches an image. Rejects with an `HttpError`: 400 not allowed, 404, 413, 502, 504, 508 too many redirects. */
export async function fetchRemote(first: URL, options: RemoteOptions, abort?: AbortSignal): Promise<RemoteImage> {
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = abort ? AbortSignal.any([timeout, abort]) : timeout
  try {
    let url = first
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      if (!mayFetch(url, options)) throw refused()
      const message = await request(url, options, signal)
      try {
        const { statusCode = 0, headers } = message
        if (statusCode === 200) return { bytes: await bodyOf(message, options.maxBytes), maxAge: maxAgeOf(message) }
        if (!REDIRECTS.includes(statusCode) || !headers.location) {
          throw statusCode === 404 || statusCode === 410 ? new HttpError(404, 'There is no such image.') : unreachable()
        }
        url = new URL(headers.location, url)
      } finally {
        message.destroy()
      }
    }
    throw new HttpError(508, 'The image is redirected too often.')
  } catch (error) {
    if (error instanceof HttpError) throw error
    if (abort?.aborted) throw abort.reason
    if (timeout.aborted) throw new HttpError(504, 'The image could not be fetched in time.')
    throw unreachable()
  }
}
