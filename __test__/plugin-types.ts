// The types of the plugins and of image imports, checked by `tsc` and never run: what is allowed compiles, and below every
// `@ts-expect-error` stands something that must not.

// Projects name it in `types` or in a reference; a package can name itself in imports alone.
import 'pixrace/client'
import { createServer } from 'node:http'
import type { Configuration as RspackConfiguration } from '@rspack/core'
import type { NextConfig } from 'next'
import nextDefault, { type PixraceNextOptions, withPixrace } from 'pixrace/next'
import { createNextImageHandler, GET, HEAD } from 'pixrace/next/route'
import rollupDefault, { type PixraceOptions as RollupOptions, pixrace as rollupPlugin } from 'pixrace/rollup'
import rspackDefault, { PixracePlugin as RspackPlugin } from 'pixrace/rspack'
import { createImageHandler, type ImageHandler, type ImageHandlerOptions, toNodeHandler } from 'pixrace/server'
import vitePlugin, { type PixraceOptions, pixrace as viteNamed } from 'pixrace/vite'
import webpackDefault, { type PixraceOptions as WebpackOptions, PixracePlugin as WebpackPlugin } from 'pixrace/webpack'
import type { RollupOptions as RollupConfiguration } from 'rollup'
import { createStorage } from 'unstorage'
import type { UserConfig } from 'vite'
import type { Configuration as WebpackConfiguration } from 'webpack'
import type { Format, Limits, Qualities } from '../index.js'
import picture, { type img, type placeholder, type sources } from './hero.jpg?picture'
import type smallest from './hero.jpg?smallest'
import wide from './hero.jpg?w=480;960&picture'

/** True only if two types are the same: each is assignable to the other even where `any` or optional keys would hide it. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

export const everything: PixraceOptions = {
  quality: { avif: 50 },
  minScore: 80,
  maxBytes: 10_000,
  lossless: false,
  effort: 'best',
  flatten: '#ffffff',
  metadata: 'keep',
  colorProfile: 'srgb',
  limits: { maxPixels: 1e8, timeoutMs: 1000 },
  include: ['src/**', /\.png$/],
  exclude: 'legacy/**',
  convert: ['avif', 'webp'],
  html: 'picture',
  publicDir: false,
  dev: true,
  fileName: 'img/[name]-[hash].[ext]',
  cache: { dir: '.cache', maxBytes: 1024 ** 3 },
  failOn: 'warning',
  budget: { maxBytesPerImage: 200_000, minSaving: 0.3 },
  report: false,
  manifest: 'images.json',
}

export const shorter: PixraceOptions[] = [
  {},
  { convert: true, html: false, cache: false, manifest: true, include: /\.png$/, exclude: [] },
  { cache: { storage: createStorage() }, quality: 80, budget: {} },
]

type Option<K extends keyof PixraceOptions> = Required<PixraceOptions>[K]

export type Options = [
  Expect<Equal<Option<'convert'>, boolean | Format[]>>,
  Expect<Equal<Option<'html'>, false | 'picture'>>,
  Expect<Equal<Option<'failOn'>, 'error' | 'warning' | 'never'>>,
  Expect<Equal<Option<'include'>, string | RegExp | (string | RegExp)[]>>,
  Expect<Equal<Option<'exclude'>, Option<'include'>>>,
  Expect<Equal<Option<'manifest'>, boolean | string>>,
  Expect<Equal<Option<'quality'>, number | Qualities>>,
  Expect<Equal<Option<'limits'>, Limits>>,
  // The same in every bundler.
  Expect<Equal<RollupOptions, PixraceOptions>>,
  Expect<Equal<WebpackOptions, PixraceOptions>>,
  Expect<Equal<ConstructorParameters<typeof RspackPlugin>[0], PixraceOptions | undefined>>,
]

export const wrong: PixraceOptions[] = [
  // @ts-expect-error an unknown option
  { formats: ['avif'] },
  // @ts-expect-error each image is as large as its source
  { resize: { width: 100 } },
  // @ts-expect-error a format that is not written
  { convert: ['gif'] },
  // @ts-expect-error one format without a list
  { convert: 'avif' },
  // @ts-expect-error not a mode
  { html: true },
  // @ts-expect-error not a time to fail
  { failOn: 'always' },
  // @ts-expect-error a path that is a URL
  { cache: { dir: new URL('file:///tmp') } },
  // @ts-expect-error an unknown bound
  { budget: { maxBytes: 1 } },
  // @ts-expect-error a list in a list
  { include: [['a']] },
]

export const vite: UserConfig = { plugins: [vitePlugin(), viteNamed({ convert: true })] }
export const rollup: RollupConfiguration = { plugins: [rollupDefault(), rollupPlugin({ convert: true })] }
export const webpack: WebpackConfiguration = {
  plugins: [new webpackDefault(), new WebpackPlugin({ convert: true })],
}
export const rspack: RspackConfiguration = { plugins: [new rspackDefault(), new RspackPlugin({ convert: true })] }

// @ts-expect-error options are checked
vitePlugin({ convert: 'all' })
// @ts-expect-error options are an object
rollupPlugin(true)
// @ts-expect-error it is a class
WebpackPlugin()
// @ts-expect-error options are checked
new RspackPlugin({ html: 'img' })

interface Picture {
  sources: { srcset: string; type: string }[]
  img: { src: string; width: number; height: number; srcset?: string }
  placeholder: string | null
}

export type Imports = [
  Expect<Equal<typeof smallest, string>>,
  Expect<Equal<typeof sources, Picture['sources']>>,
  Expect<Equal<typeof img.src, string>>,
  Expect<Equal<typeof img.width, number>>,
  Expect<Equal<typeof img.srcset, string | undefined>>,
  Expect<Equal<typeof placeholder, string | null>>,
  Expect<Equal<typeof wide, typeof picture>>,
]

export const same: Picture = picture
export const [first]: Picture['sources'] = wide.sources

// @ts-expect-error it may be missing
picture.placeholder.length
// @ts-expect-error it is not there
picture.width

export const served: ImageHandlerOptions = {
  roots: { '/assets': 'dist/assets', '/': 'public' },
  remotePatterns: [{ protocol: 'https', hostname: '**.example.com', port: '', pathname: '/img/**', search: '' }],
  allowPrivateNetwork: false,
  resolver: async hostname => [hostname],
  formats: ['avif', 'jpeg'],
  widths: [320, 640],
  qualities: [75, 50],
  maxAge: 60,
  refine: true,
  cache: { storage: createStorage() },
  memory: 0,
  concurrency: 2,
  maxQueue: 10,
  maxSourceBytes: 1e6,
  fetchTimeoutMs: 1000,
  clientHints: true,
  serverTiming: true,
  effort: 'fast',
  limits: { maxPixels: 1e8 },
  onRequest: ({ status, url, error }) => console.log(status.toFixed(), url?.length, error?.message),
}

export const handler: ImageHandler = createImageHandler(served)
export const answered: Promise<Response> = handler(new Request('http://localhost/?url=/a.jpg&w=640'))
export const server = createServer(toNodeHandler(createNextImageHandler({ refine: true })))
export const route: ((request: Request) => Promise<Response>)[] = [GET, HEAD, handler, handler.metrics]

export const wrongServed: ImageHandlerOptions[] = [
  // @ts-expect-error an unknown option
  { quality: 75 },
  // @ts-expect-error a format that is not written
  { formats: ['gif'] },
  // @ts-expect-error each request has its own
  { minScore: 80 },
  // @ts-expect-error a pattern without a host
  { remotePatterns: [{ pathname: '/img/**' }] },
  // @ts-expect-error a folder that is a URL
  { roots: new URL('file:///tmp') },
]
// @ts-expect-error not any function
toNodeHandler(async (request: Request) => new Response(request.url))

const next: NextConfig = { basePath: '/docs', images: { remotePatterns: [new URL('https://example.com/**')] } }
export const nextConfigs: NextConfig[] = [withPixrace(next), nextDefault({}), withPixrace(next, { path: '/images' })]
export const nextFunction: (phase: string, context: { defaultConfig: NextConfig }) => NextConfig | Promise<NextConfig> =
  withPixrace(async (phase: string, { defaultConfig }: { defaultConfig: NextConfig }) => ({
    ...defaultConfig,
    env: { phase },
  }))
export const nextOptions: PixraceNextOptions[] = [{}, { path: '/images', exportFormat: 'webp' }]
export const wrongNextOptions: PixraceNextOptions[] = [
  // @ts-expect-error an unknown option
  { quality: 75 },
  // @ts-expect-error a format that an export is not written in
  { exportFormat: 'jpeg' },
]
