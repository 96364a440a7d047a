// One build of a site of examples/, in a process of its own. It is copied beside the sites, so that everything in it is found
// as a user's would be: the packed pixrace, and the bundlers that are linked there. `job` is what `buildSite` was given.
import { join, resolve } from 'node:path'
import { originalLoader, originals } from './site-originals.mjs'

const job = JSON.parse(process.argv[2])
const { bundler, outDir, options, base, entry, ssr } = job

async function pixracePlugin(name) {
  const module = await import(`pixrace/${name}`)
  return name === 'webpack' || name === 'rspack' ? new module.PixracePlugin(options) : module.default(options)
}

const isOurs = plugin => [plugin].flat()[0]?.name === 'pixrace' || plugin?.constructor?.name.includes('PixracePlugin')

/** The configuration of the example, with the options of this build. */
async function configOf(site, name = site) {
  const { default: config } = await import(resolve(`${site}.config.mjs`))
  const others = config.plugins.filter(plugin => !isOurs(plugin))
  if (others.length === config.plugins.length) throw new Error(`the example for ${site} does not use pixrace`)
  return { ...config, plugins: options ? [await pixracePlugin(name), ...others] : others }
}

async function vite() {
  const { build, version } = await import(bundler)
  const config = await configOf('vite')
  if (!options) config.plugins.push(originals())
  await build({
    ...config,
    ...{ configFile: false, root: process.cwd(), base: base ?? '/', logLevel: 'warn' },
    // Vite 8 finds out by itself.
    ...(version.startsWith('7') && { esbuild: { jsx: 'automatic' } }),
    build: {
      ...{ outDir, emptyOutDir: true, ssr: ssr ?? false },
      ...(entry && { rollupOptions: { input: entry } }),
      ...(job.inlineLimit !== undefined && { assetsInlineLimit: job.inlineLimit }),
    },
  })
}

async function rollup() {
  const { rollup: open } = await import('rollup')
  const { rollupPluginHTML } = await import('@web/rollup-plugin-html')
  const config = await configOf('rollup')
  // The plugin for HTML takes its base as an option, which cannot be changed any more.
  const html = config.plugins.findIndex(({ name }) => name === '@web/rollup-plugin-html')
  const externalAssets = ['postcard.jpg', 'site.webmanifest']
  if (base) config.plugins[html] = rollupPluginHTML({ minify: true, externalAssets, publicPath: base })
  if (entry) config.plugins.splice(html, 1)
  if (!options) config.plugins.push(originals())
  const bundle = await open({ ...config, input: entry ?? config.input })
  await bundle.write({ ...config.output, dir: outDir })
  await bundle.close()
}

/** The example for webpack with the parts that Rspack brings along: its HTML comes from html-webpack-plugin and html-loader. */
function forRspack(config, { CssExtractRspackPlugin, CopyRspackPlugin }) {
  const css = { test: /\.css$/, use: [CssExtractRspackPlugin.loader, 'css-loader'], type: 'javascript/auto' }
  const own = {
    MiniCssExtractPlugin: new CssExtractRspackPlugin({ filename: '[name].[contenthash].css' }),
    CopyPlugin: new CopyRspackPlugin({ patterns: ['public'] }),
  }
  return {
    ...config,
    plugins: config.plugins.map(plugin => own[plugin.constructor.name] ?? plugin),
    module: { rules: [css, ...config.module.rules.filter(({ test }) => !test.test('a.css'))] },
  }
}

async function webpackConfig(rspack) {
  const config = await configOf(job.site, bundler)
  const whole = rspack && job.site === 'webpack' ? forRspack(config, rspack) : config
  const rules = options ? [...whole.module.rules] : [...whole.module.rules, originalLoader]
  if (job.inlineLimit !== undefined) {
    for (const rule of rules)
      if (rule.type === 'asset') rule.parser = { dataUrlCondition: { maxSize: job.inlineLimit } }
  }
  const plugins = entry ? whole.plugins.filter(plugin => !/^Html/.test(plugin.constructor.name)) : whole.plugins
  return {
    ...whole,
    ...{ mode: 'production', cache: false, performance: false, entry: entry ?? whole.entry, plugins },
    output: { ...whole.output, path: outDir, ...(base && { publicPath: base }) },
    module: { ...whole.module, rules },
  }
}

async function webpackFamily() {
  const rspack = bundler === 'rspack' ? (await import('@rspack/core')).rspack : null
  const compiler = (rspack ?? (await import('webpack')).default)(await webpackConfig(rspack))
  const stats = await new Promise((done, fail) => compiler.run((error, value) => (error ? fail(error) : done(value))))
  await new Promise(done => compiler.close(done))
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true })
  const [trouble] = [...errors, ...warnings]
  if (trouble) throw new Error(trouble.message)
}

process.chdir(join(import.meta.dirname, job.site))
await { vite, vite7: vite, rollup, webpack: webpackFamily, rspack: webpackFamily }[bundler]()
