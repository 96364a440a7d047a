// The route that makes images: `export { GET, HEAD } from 'pixrace/next/route'` in app/pixrace/route.js.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createImageHandler,
  type ImageHandler,
  type ImageHandlerOptions,
  type LocalPattern,
  type RemotePattern,
} from './server/index.js'

/** What is used of Next's configuration, defaults included. */
interface BuiltConfig {
  basePath: string
  images: {
    deviceSizes: number[]
    imageSizes: number[]
    qualities?: number[]
    domains: string[]
    remotePatterns: RemotePattern[]
    localPatterns?: LocalPattern[]
    minimumCacheTTL: number
    dangerouslyAllowLocalIP: boolean
  }
}

/**
 * The configuration as the build noted it; null where nothing is built. This code is outside of the bundle, into which alone Next
 * puts its `env`, and not everything that runs an application reads next.config.js.
 */
function builtConfig(distDir: string): BuiltConfig | null {
  try {
    return JSON.parse(readFileSync(join(distDir, 'required-server-files.json'), 'utf8')).config
  } catch {
    return null
  }
}

/** The folder of the build: from `withPixrace`, or of an application that runs without its next.config.js (`standalone`). */
function builtFolder(): string {
  const { PIXRACE_DIST_DIR, __NEXT_PRIVATE_STANDALONE_CONFIG: standalone = '{}' } = process.env
  return PIXRACE_DIST_DIR ?? JSON.parse(standalone).distDir ?? '.next'
}

/**
 * Next writes them for paths without `basePath`. Its default allows everything without a query; then a query is no matter here:
 * unlike Next's own loader, that of `withPixrace` says nothing of one.
 */
function localPatternsOf({ basePath, images: { localPatterns = [] } }: BuiltConfig): LocalPattern[] | undefined {
  const [first, ...more] = localPatterns
  if (!first || (more.length === 0 && first.pathname === '**' && first.search === '')) return undefined
  const based = localPatterns.map(pattern => ({ ...pattern, pathname: `${basePath}${pattern.pathname ?? '/**'}` }))
  return basePath === '' ? localPatterns : [...localPatterns, ...based]
}

/** What the application has told Next of its images holds here too. */
function optionsOf(config: BuiltConfig): ImageHandlerOptions {
  const { images } = config
  const localPatterns = localPatternsOf(config)
  const { deviceSizes, imageSizes, qualities, remotePatterns, domains } = images
  return {
    widths: [...new Set([...deviceSizes, ...imageSizes])],
    ...(qualities && { qualities }),
    ...(localPatterns && { localPatterns }),
    remotePatterns: [...remotePatterns, ...domains.map(hostname => ({ hostname }))],
    maxAge: images.minimumCacheTTL,
    allowPrivateNetwork: images.dangerouslyAllowLocalIP,
  }
}

/** Where an application of Next has its images: what it imports, and `public`. */
const rootsOf = (distDir: string, base: string): Record<string, string> => ({
  [`${base}/_next/static`]: join(distDir, 'static'),
  [`${base}/`]: 'public',
  '/': 'public',
})

/**
 * A handler with the folders of an application of Next and with what its configuration says of `images`; `options` win. Throws
 * `ERR_PIXRACE_INVALID_OPTION`.
 */
export function createNextImageHandler(options: ImageHandlerOptions = {}): ImageHandler {
  const distDir = builtFolder()
  const config = builtConfig(distDir)
  const roots = rootsOf(distDir, config?.basePath ?? '')
  return createImageHandler({ roots, ...(config && optionsOf(config)), ...options })
}

let handler: ImageHandler | undefined
// When it is asked for the first time: a build loads routes without running them.
const answer = (request: Request): Promise<Response> => {
  handler ??= createNextImageHandler()
  return handler(request)
}

export const GET = answer
export const HEAD = answer
