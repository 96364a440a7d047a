// The route that makes images: `export { GET, HEAD } from 'pixrace/next/route'` in app/pixrace/route.js.
import { createImageHandler, type ImageHandler, type ImageHandlerOptions } from './server/index.js'

/** Where an application of Next has its images: what it imports, and `public`. */
function nextRoots(): Record<string, string> {
  const base = process.env.PIXRACE_BASE_PATH ?? ''
  return { [`${base}/_next/static`]: '.next/static', [`${base}/`]: 'public', '/': 'public' }
}

/** A handler with the folders of an application of Next. Throws `ERR_PIXRACE_INVALID_OPTION`. */
export function createNextImageHandler(options: ImageHandlerOptions = {}): ImageHandler {
  return createImageHandler({ roots: nextRoots(), ...options })
}

let handler: ImageHandler | undefined
// When it is asked for the first time: a build loads routes without running them.
const answer = (request: Request): Promise<Response> => {
  handler ??= createNextImageHandler()
  return handler(request)
}

export const GET = answer
export const HEAD = answer
