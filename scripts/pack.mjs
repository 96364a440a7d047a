// `npm run pack`: makes what is published, in out/npm: the package pixrace, and one package per platform whose addon is
// there. The layout is that of @napi-rs/cli. Nothing is published here.
//   --artifacts <folder>   where the .node files are; the project's folder
//   --repository <url>     what the packages name as their repository, which npm's provenance demands
//   --complete             the addon of every platform has to be there
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { digest, ensurePlugin, filesBelow } from './build-plugin.mjs'
import { npm } from './setup.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const out = join(root, 'out', 'npm')
const stamp = join(out, '.inputs')
// What the licences demand goes with the addon, not only with the package that loads it.
const LEGAL = ['LICENSE', 'THIRD_PARTY_NOTICES.md']

const readJson = path => JSON.parse(fs.readFileSync(path, 'utf8'))
const writeJson = (path, value) => fs.writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)

function checkVersions({ version }) {
  const manifest = fs.readFileSync(join(root, 'Cargo.toml'), 'utf8')
  const crate = /^\[workspace\.package\][^[]*?^version = "([^"]+)"/m.exec(manifest)?.[1]
  if (crate !== version) throw new Error(`package.json is at version ${version}, Cargo.toml at ${crate}.`)
}

// A folder per target of `napi.targets`, with the fields by which npm chooses.
function createPlatforms(into) {
  const cli = join(root, 'node_modules', '@napi-rs', 'cli')
  const { bin } = readJson(join(cli, 'package.json'))
  const args = [join(cli, bin.napi), 'create-npm-dirs', '--npm-dir', into]
  const { status, error, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`\`napi create-npm-dirs\` failed:\n${stdout}${stderr}`)
  return fs
    .readdirSync(into)
    .map(name => ({ folder: join(into, name), manifest: readJson(join(into, name, 'package.json')) }))
}

// The staged copy alone names the platform packages: in the project they would be looked for before they exist.
function stageMain(pkg, platforms, folder, extra) {
  const { devDependencies, scripts, overrides, napi, ...published } = pkg
  for (const name of [...pkg.files, 'README.md']) {
    fs.cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  const optionalDependencies = Object.fromEntries(platforms.map(({ manifest }) => [manifest.name, pkg.version]))
  writeJson(join(folder, 'package.json'), { ...published, ...extra, optionalDependencies })
}

function stagePlatform({ folder, manifest }, artifacts, extra) {
  for (const name of LEGAL) fs.copyFileSync(join(root, name), join(folder, name))
  fs.copyFileSync(join(artifacts, manifest.main), join(folder, manifest.main))
  writeJson(join(folder, 'package.json'), { ...manifest, ...extra, files: [...manifest.files, ...LEGAL] })
}

function makeTarball(folder, into) {
  const { name, version } = readJson(join(folder, 'package.json'))
  npm(`Packing ${name}`, ['pack', folder, '--pack-destination', into, '--ignore-scripts'], { quiet: true })
  return `${name}-${version}.tgz`
}

/** Packs into an empty folder; gives the names of the tarballs. */
function packInto(work, pkg, { artifacts, repository, complete }) {
  const extra = repository ? { repository: { type: 'git', url: repository } } : {}
  const mainFolder = join(work, 'pixrace')
  const platforms = createPlatforms(join(work, 'platforms'))
  const [ready, missing] = [true, false].map(there =>
    platforms.filter(({ manifest }) => fs.existsSync(join(artifacts, manifest.main)) === there),
  )
  if (complete && missing.length > 0) {
    throw new Error(`Addons are missing in ${artifacts}: ${missing.map(({ manifest }) => manifest.main).join(', ')}.`)
  }
  if (ready.length === 0) throw new Error(`There is no addon in ${artifacts}: \`npm run setup\` builds it.`)
  stageMain(pkg, platforms, mainFolder, extra)
  for (const platform of ready) stagePlatform(platform, artifacts, extra)
  for (const { folder } of missing) fs.rmSync(folder, { recursive: true })
  return { main: makeTarball(mainFolder, work), platforms: ready.map(({ folder }) => makeTarball(folder, work)) }
}

function inputsOf(pkg, options) {
  const addons = fs.readdirSync(options.artifacts).filter(name => name.endsWith('.node'))
  const own = [...pkg.files, 'README.md', 'package.json', 'Cargo.toml', 'scripts/pack.mjs'].map(name =>
    join(root, name),
  )
  const files = [...own, ...addons.map(name => join(options.artifacts, name))].flatMap(filesBelow)
  return JSON.stringify([digest(files), options])
}

// Names, not paths: the project may be copied or moved with out/ in it.
const withPaths = ({ main, platforms }) => ({
  main: join(out, main),
  platforms: platforms.map(name => join(out, name)),
})

/**
 * Packs, unless what lies in out/npm is of the same inputs. Gives the paths of the tarballs: `main`, and `platforms` with
 * one per addon.
 */
export function pack({ artifacts = root, repository = '', complete = false } = {}) {
  const options = { artifacts, repository, complete }
  const pkg = readJson(join(root, 'package.json'))
  checkVersions(pkg)
  ensurePlugin()
  const inputs = inputsOf(pkg, options)
  const last = fs.existsSync(stamp) ? readJson(stamp) : null
  if (last?.inputs === inputs) return withPaths(last)
  // Beside the place, and moved there when all went well: another process may read what is there.
  const work = `${out}.${process.pid}`
  try {
    fs.mkdirSync(work, { recursive: true })
    const names = packInto(work, pkg, options)
    writeJson(join(work, '.inputs'), { inputs, ...names })
    fs.rmSync(out, { recursive: true, force: true })
    fs.renameSync(work, out)
    return withPaths(names)
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
}

function main() {
  const options = { artifacts: { type: 'string' }, repository: { type: 'string' }, complete: { type: 'boolean' } }
  try {
    const { artifacts = root, ...rest } = parseArgs({ options }).values
    const packed = pack({ artifacts: resolve(artifacts), ...rest })
    for (const file of [packed.main, ...packed.platforms]) console.log(`${file} (${fs.statSync(file).size} bytes)`)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}

// The path in argv is not resolved when the project is reached through a link; import.meta.url always is.
if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) main()
