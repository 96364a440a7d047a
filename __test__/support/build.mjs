// Builds of a project by each of the bundlers, in this process, with what came out and what the engine was asked for.
import './engine-spy.mjs'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { rspack } from '@rspack/core'
import { rollup } from 'rollup'
import * as vite from 'vite'
import * as vite7 from 'vite7'
import webpack from 'webpack'
import rollupPlugin from '../../esm/rollup.js'
import { PixracePlugin as RspackPlugin } from '../../esm/rspack.js'
import vitePlugin from '../../esm/vite.js'
import { PixracePlugin as WebpackPlugin } from '../../esm/webpack.js'
import { digestOf, encodes } from './engine-spy.mjs'

const require = createRequire(import.meta.url)
const HtmlPlugin = require('html-webpack-plugin')
const CopyPlugin = require('copy-webpack-plugin')
const MiniCssExtractPlugin = require('mini-css-extract-plugin')

export const BUNDLERS = ['vite', 'vite7', 'rollup', 'webpack', 'rspack']
export const VITES = { vite, vite7 }

/** Files of fewer bytes are inlined. */
const INLINE_BYTES = 400

/** What the plugins are told by all tests, and `own`. */
const pluginOptions = own => ({ effort: 'fast', ...own })

/** `options` null is a build without the plugin; `extra` goes into the bundler's configuration. */
export function viteConfig(root, options, { outDir = 'dist', plugins = [], build = {}, ...extra } = {}) {
  return {
    ...{ root, configFile: false, logLevel: 'silent' },
    plugins: [...plugins, ...(options ? [vitePlugin(pluginOptions(options))] : [])],
    build: { outDir, emptyOutDir: true, assetsInlineLimit: INLINE_BYTES, minify: false, ...build },
    ...extra,
  }
}

export function rollupConfig(root, options, { outDir = 'dist', plugins = [] } = {}) {
  return {
    input: join(root, 'src/main.js'),
    plugins: [...plugins, ...(options ? [rollupPlugin(pluginOptions(options))] : [])],
    onwarn() {},
    output: { dir: join(root, outDir), assetFileNames: 'assets/[name]-[hash][extname]' },
  }
}

export function webpackConfig(bundler, root, options, { outDir = 'dist', plugins = [], ...extra } = {}) {
  const isRspack = bundler === 'rspack'
  const Css = isRspack ? rspack.CssExtractRspackPlugin : MiniCssExtractPlugin
  const Copy = isRspack ? rspack.CopyRspackPlugin : CopyPlugin
  const Plugin = isRspack ? RspackPlugin : WebpackPlugin
  const copied = fs.existsSync(join(root, 'public')) ? [new Copy({ patterns: ['public'] })] : []
  const page = fs.existsSync(join(root, 'src/index.html')) ? [new HtmlPlugin({ template: './src/index.html' })] : []
  const css = { test: /\.css$/, use: [Css.loader, require.resolve('css-loader')], type: 'javascript/auto' }
  const image = { test: /\.(?:png|jpe?g)$/, type: 'asset', parser: { dataUrlCondition: { maxSize: INLINE_BYTES } } }
  return {
    ...{ mode: 'production', context: root, entry: './src/main.js', cache: false, devtool: false },
    optimization: { minimize: false },
    output: { path: join(root, outDir), clean: true, assetModuleFilename: 'assets/[name]-[contenthash:8][ext]' },
    module: { rules: [css, image, { test: /\.html$/, use: [require.resolve('html-loader')] }] },
    plugins: [
      ...[...page, ...copied, new Css({ filename: '[name].[contenthash:8].css' }), ...plugins],
      ...(options ? [new Plugin(pluginOptions(options))] : []),
    ],
    ...extra,
  }
}

export const compilerOf = (bundler, config) => (bundler === 'rspack' ? rspack : webpack)(config)

/** Runs a compiler once; rejects with what its statistics call errors. */
async function compile(bundler, config) {
  const compiler = compilerOf(bundler, config)
  const stats = await new Promise((resolve, reject) =>
    compiler.run((error, done) => (error ? reject(error) : resolve(done))),
  )
  await new Promise(resolve => compiler.close(resolve))
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true })
  const sentences = list => list.map(({ message }) => message)
  if (errors.length > 0) throw Object.assign(new Error(sentences(errors).join('\n')), { warnings: sentences(warnings) })
  return { warnings: sentences(warnings) }
}

async function roll(config) {
  const bundle = await rollup(config)
  await bundle.write(config.output).finally(() => bundle.close())
  return { warnings: [] }
}

async function run(bundler, root, options, extra) {
  if (bundler === 'rollup') return roll(rollupConfig(root, options, extra))
  if (bundler in VITES) {
    await VITES[bundler].build(viteConfig(root, options, extra))
    return { warnings: [] }
  }
  return compile(bundler, webpackConfig(bundler, root, options, extra))
}

/** All files below a folder: their bytes by their path. */
export function filesBelow(folder) {
  if (!fs.existsSync(folder)) return new Map()
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = entries.map(entry => join(entry.parentPath, entry.name)).sort()
  return new Map(paths.map(path => [path.slice(folder.length + 1), fs.readFileSync(path)]))
}

/** The same as text, to be compared. */
export const digestsOf = files => Object.fromEntries([...files].map(([name, bytes]) => [name, digestOf(bytes)]))

/** What `task` writes to the console as text, which is not shown. Bytes are the test runner's own. */
export async function quietly(task) {
  const writes = [process.stdout, process.stderr].map(stream => ({ stream, write: stream.write }))
  let text = ''
  for (const { stream, write } of writes) {
    stream.write = (chunk, ...rest) => {
      if (typeof chunk !== 'string') return write.call(stream, chunk, ...rest)
      text += chunk
      const done = rest.at(-1)
      if (typeof done === 'function') done()
      return true
    }
  }
  try {
    return { result: await task(), text: () => text }
  } finally {
    for (const { stream, write } of writes) stream.write = write
  }
}

/**
 * Builds. Gives `files` (bytes by name), `digests`, `text` (what was written to the console), `warnings` (the bundler's), `error`
 * (null if it succeeded) and `encodes`, what the engine was asked for.
 */
export async function build(bundler, root, options = {}, extra = {}) {
  const outDir = extra.outDir ?? 'dist'
  fs.rmSync(join(root, outDir), { recursive: true, force: true })
  const before = encodes.length
  const folder = process.cwd()
  // Rollup knows no root.
  process.chdir(root)
  try {
    const { result, text } = await quietly(() => run(bundler, root, options, extra).catch(error => ({ error })))
    const files = filesBelow(join(root, outDir))
    const { error = null, warnings = error?.warnings ?? [] } = result
    return { files, digests: digestsOf(files), text: text(), warnings, error, encodes: encodes.slice(before) }
  } finally {
    process.chdir(folder)
  }
}
