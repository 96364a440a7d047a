// Answers through node:http, without a Request and a Response in between: those cost more than an image in memory.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ImageResponder, Incoming } from './handler.js'

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

class NodeRequest implements Incoming {
  readonly method: string
  readonly url: string
  #signal: AbortSignal | undefined

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    this.method = request.method ?? 'GET'
    this.url = request.url ?? '/'
  }

  /** Made when it is asked for: it costs as much as all else that an image in memory needs. */
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.response)
    return this.#signal
  }

  header(name: string): string | null {
    const value = this.request.headers[name]
    return Array.isArray(value) ? value.join(', ') : (value ?? null)
  }
}

export function nodeHandler(responder: ImageResponder): NodeHandler {
  return async (request, response) => {
    try {
      const { status, headers, body } = await responder.respond(new NodeRequest(request, response))
      if (response.destroyed) return
      response.writeHead(status, headers)
      response.end(body ?? undefined)
    } catch {
      response.destroy()
    }
  }
}

/** Aborts when the client goes away, or has gone before. */
function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  // Also at the end of an answer; then nobody listens any more.
  const leave = () => controller.abort(new Error('The client went away.'))
  response.once('close', leave)
  // Behind other middleware it may be closed already.
  if (response.destroyed) leave()
  return controller.signal
}
