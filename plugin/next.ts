// next/image through pixrace: on demand by a route of the application, or as files of a static export.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { optionError } from './core/checks.js'
import folder from './own-folder.cjs'

export interface PixraceNextOptions {
  /** Path of the route that answers (`app/pixrace/route.js`), without `basePath`. Default: '/pixrace'. */
  path?: string
  /** Format of the files of a static export, of which a page can name one only. Default: 'avif'. */
  exportFormat?: 'avif' | 'webp'
}

/** The parts of Next's configuration that are used here; all others stay as they are. */
interface NextConfigParts {
  output?: string | undefined
  basePath?: string | undefined
  distDir?: string | undefined
  trailingSlash?: boolean | undefined
  images?: object | undefined
  env?: Record<string, string | undefined> | undefined
  serverExternalPackages?: string[] | undefined
}

type ConfigFunction<Config, Context> = (phase: string, context: Context) => Config | Promise<Config>

/**
 * The loader as a file of the project: what is in a package that stays outside of the bundle (ours has to, it is native) cannot
 * be a loader, and Next wants a path from the project's folder.
 */
function loaderFile(): string {
  const own = join(folder, '..', 'esm', 'next-loader.js')
  const file = join(process.cwd(), 'node_modules', '.cache', 'pixrace-next', 'next-loader.mjs')
  const text = readFileSync(own, 'utf8')
  let path = file
  try {
    mkdirSync(dirname(file), { recursive: true })
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
  } catch {
    // An application that only runs may not be allowed to write. Then it is built: all that Next wants is any file.
    path = own
  }
  return relative(process.cwd(), path).split(sep).join('/')
}

function extend<Config extends NextConfigParts>(
  config: Config,
  { path, exportFormat }: Required<PixraceNextOptions>,
): Config {
  const isExport = config.output === 'export'
  const { basePath = '', trailingSlash = false } = config
  const images: { qualities?: number[] } = config.images ?? {}
  // For the route, which runs in the process that reads this.
  process.env.PIXRACE_DIST_DIR = config.distDir ?? '.next'
  return {
    ...config,
    images: { ...images, loader: 'custom', loaderFile: loaderFile() },
    env: {
      ...config.env,
      // Where Next adds a slash by redirecting, every image would take two requests.
      PIXRACE_IMAGE_PATH: `${basePath}${isExport ? '/_pixrace' : path}${trailingSlash && !isExport ? '/' : ''}`,
      PIXRACE_BASE_PATH: basePath,
      PIXRACE_EXPORT_FORMAT: isExport ? exportFormat : '',
      PIXRACE_QUALITIES: (images.qualities ?? [75]).join(','),
    },
    serverExternalPackages: [...(config.serverExternalPackages ?? []), 'pixrace'],
    ...(isExport && { adapterPath: join(folder, 'next-adapter.js') }),
  }
}

/**
 * A configuration in which `next/image` takes its images from pixrace. Without `output: 'export'` the application needs the
 * route that makes them (see `pixrace/next/route`). Throws `ERR_PIXRACE_INVALID_OPTION`.
 */
export function withPixrace<Config extends NextConfigParts>(config: Config, options?: PixraceNextOptions): Config
export function withPixrace<Config extends NextConfigParts, Context>(
  config: ConfigFunction<Config, Context>,
  options?: PixraceNextOptions,
): ConfigFunction<Config, Context>
export function withPixrace<Config extends NextConfigParts, Context>(
  config: Config | ConfigFunction<Config, Context>,
  options: PixraceNextOptions = {},
): Config | ConfigFunction<Config, Context> {
  const { path = '/pixrace', exportFormat = 'avif', ...rest } = options
  const [unknown] = Object.keys(rest)
  if (unknown) throw optionError(unknown, 'one of path, exportFormat', (rest as Record<string, unknown>)[unknown])
  if (!/^\/[\w/-]*\w$/.test(path)) throw optionError('path', "a path like '/pixrace'", path)
  if (exportFormat !== 'avif' && exportFormat !== 'webp')
    throw optionError('exportFormat', "'avif' or 'webp'", exportFormat)
  const full = { path, exportFormat }
  if (typeof config !== 'function') return extend(config, full)
  return async (phase, context) => extend(await config(phase, context), full)
}

export default withPixrace
