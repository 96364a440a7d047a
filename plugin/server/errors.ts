// What a client is told when there is no image for it.
import { QueueFullError } from '../core/queue.js'

/** A guess at when it is worth asking again; the queue moves by then. */
const RETRY_AFTER_S = 2

/** A refusal: a status and a sentence, without anything that the client did not say itself. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message)
    this.name = 'HttpError'
  }
}

const BY_CODE: Record<string, [status: number, message: string]> = {
  ERR_PIXRACE_UNSUPPORTED_INPUT: [415, 'The resource is no image of a supported format.'],
  ERR_PIXRACE_CORRUPT_INPUT: [422, 'The image is damaged.'],
  ERR_PIXRACE_LIMIT_EXCEEDED: [413, 'The image is too large.'],
  ERR_PIXRACE_NO_CANDIDATE: [406, 'The image cannot be made in a format that the client takes.'],
  ERR_PIXRACE_TIMEOUT: [503, 'The image took too long.'],
}

/** The refusal for an error of the queue or the engine; anything unknown is a 500 without details. */
export function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof QueueFullError) {
    return new HttpError(503, error.message, { 'Retry-After': String(RETRY_AFTER_S) })
  }
  const { code = '' } = error as { code?: string }
  const [status, message] = BY_CODE[code] ?? [500, 'The image could not be made.']
  return new HttpError(status, message)
}
