// Images on demand: a handler on web standards, and one for node:http and what stands on it.

import { ImageResponder } from './handler.js'
import { type NodeHandler, nodeHandler } from './node.js'
import type { ImageHandlerOptions } from './options.js'

export type { CacheOptions, CacheStorage } from '../cache/index.js'
export type { NodeHandler } from './node.js'
export type { ImageHandlerOptions, RequestEvent } from './options.js'
export type { LocalPattern, RemotePattern } from './patterns.js'
export type { Resolver } from './remote.js'

/** Answers `GET` and `HEAD` of `?url=&w=&q=`. Rejects only if the request's signal aborts, with its reason. */
export interface ImageHandler {
  (request: Request): Promise<Response>
  /** Answers with counters in the text format of Prometheus. */
  metrics(request?: Request): Promise<Response>
  /** Gives back what would keep the process alive. */
  close(): Promise<void>
}

const responders = new WeakMap<ImageHandler, ImageResponder>()

/** A handler for route handlers of Next.js, Hono and others. Throws `ERR_PIXRACE_INVALID_OPTION`. */
export function createImageHandler(options?: ImageHandlerOptions): ImageHandler {
  const responder = new ImageResponder(options)
  const handler = async (request: Request): Promise<Response> => {
    const { method, url, headers, signal } = request
    const reply = await responder.respond({ method, url, signal, header: name => headers.get(name) })
    return new Response(reply.body as Buffer<ArrayBuffer> | null, { status: reply.status, headers: reply.headers })
  }
  const metrics = async () =>
    new Response(responder.metricsText(), { headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' } })
  const close = () => responder.service.close()
  const full = Object.assign(handler, { metrics, close })
  responders.set(full, responder)
  return full
}

/** The same handler for `node:http`, Express, Fastify and Connect: `(request, response)`. */
export function toNodeHandler(handler: ImageHandler): NodeHandler {
  const responder = responders.get(handler)
  if (!responder) throw new TypeError('toNodeHandler expects what createImageHandler gave.')
  return nodeHandler(responder)
}
