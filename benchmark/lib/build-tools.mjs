// The image tools of a build, each as its own documentation says: with its defaults, and with its cache switched on.
import fs from 'node:fs'
import { join } from 'node:path'
import { firstChoices } from './build-match.mjs'

const versionOf = name =>
  JSON.parse(fs.readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version

// What a photo is asked for in several widths: both tools are to make AVIF, WebP and JPEG of each.
export const WIDTHS = [480, 960, 1440]
const widths = `w=${WIDTHS.join(';')}`

const PIXRACE = 'pixrace'
const OPTIMIZER = 'vite-plugin-image-optimizer'
const IMAGETOOLS = 'vite-imagetools'
const MINIMIZER = 'image-minimizer-webpack-plugin'

async function pixraceFor(bundler, minScore) {
  const options = minScore === undefined ? {} : { minScore }
  if (bundler === 'vite') return [(await import('../../esm/vite.js')).pixrace(options)]
  return [new (await import('../../esm/webpack.js')).PixracePlugin(options)]
}

const peerPlugins = {
  async [OPTIMIZER](root) {
    const { ViteImageOptimizer } = await import(OPTIMIZER)
    return [ViteImageOptimizer({ cache: true, cacheLocation: join(root, 'node_modules/.cache', OPTIMIZER) })]
  },
  async [IMAGETOOLS]() {
    return [(await import(IMAGETOOLS)).imagetools()]
  },
  async [MINIMIZER]() {
    const { default: ImageMinimizer } = await import(MINIMIZER)
    const minimizer = { implementation: ImageMinimizer.sharpMinify, options: { encodeOptions: {} } }
    return [new ImageMinimizer({ minimizer })]
  },
}

const ALL = { name: 'image bytes', pick: files => files, bar: true }

/**
 * Three comparisons, each of a site that is built without a tool, with pixrace and with a peer. `queries` stand behind every
 * import of a picture. `views` name the files that are compared, and whether a bar is on their bytes.
 */
export const COMPARISONS = [
  { id: 'vite', title: 'Vite', bundler: 'vite', pictures: 'all', peer: OPTIMIZER, views: [{ ...ALL, bar: false }] },
  { id: 'webpack', title: 'webpack', bundler: 'webpack', pictures: 'all', peer: MINIMIZER, views: [ALL] },
  {
    id: 'picture',
    title: 'Vite, <picture>',
    bundler: 'vite',
    pictures: 'photos',
    peer: IMAGETOOLS,
    views: [ALL, { name: 'bytes that new browsers load', pick: firstChoices, bar: false }],
    queries: { [PIXRACE]: `?${widths}&picture`, [IMAGETOOLS]: `?${widths}&format=avif;webp;jpeg&as=picture` },
  },
]

/** The tools of a comparison in the order in which they are timed; null is the build without one. */
export const toolsOf = ({ peer }) => [null, PIXRACE, peer]

/** The plugins for a bundler's configuration. */
export async function pluginsOf(tool, { bundler, root, minScore }) {
  if (tool === null) return []
  return tool === PIXRACE ? pixraceFor(bundler, minScore) : peerPlugins[tool](root)
}

/** The settings of every tool in sentences. */
export function settings() {
  const [optimizer, minimizer, imagetools] = [OPTIMIZER, MINIMIZER, IMAGETOOLS].map(
    name => `${name} ${versionOf(name)}`,
  )
  const bundlers = `Vite ${versionOf('vite')}, webpack ${versionOf('webpack')}, sharp ${versionOf('sharp')}`
  return [
    `${optimizer}: its defaults (meant to be lossless: quality 100) with \`cache: true\` and a \`cacheLocation\`.`,
    `${minimizer}: sharpMinify without options, as its documentation recommends for lossy files; all webpack builds have \`cache: { type: 'filesystem' }\`.`,
    `${imagetools}: its defaults, \`?${widths}&format=avif;webp;jpeg&as=picture\`; pixrace: \`?${widths}&picture\`.`,
    `pixrace: its defaults; where a score is named, \`minScore\` is all that is set. ${bundlers}.`,
  ]
}
