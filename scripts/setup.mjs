// Makes a fresh clone ready to run: checks Node, Rust and the compilers, fetches nasm and cmake, installs the npm
// packages, builds the native addon and compiles the plugins. A step whose result is up to date is skipped. It runs
// before `npm install`, so it uses nothing but Node's own modules. `--for-tests` adds what only tests need.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const toolsDir = join(root, '.tools')
const toolsBin = join(toolsDir, 'bin')
const windows = process.platform === 'win32'
const packageStamp = join(root, 'node_modules', '.pixrace-lock')
const buildStamp = join(root, 'target', '.pixrace-build')

// cmake only writes makefiles on Linux, and the Debian package does not bring make along. libaom is C, but its CMake
// project refuses to start without a C++ compiler; elsewhere that comes with the C compiler.
const linuxTools = [
  { name: 'make', args: ['--version'], least: [3, 0] },
  { name: 'g++', also: 'c++', args: ['--version'], least: [0, 0] },
]
const buildTools = [
  { name: 'nasm', args: ['-v'], least: [2, 15] },
  { name: 'cmake', args: ['--version'], least: [3, 0] },
  ...(process.platform === 'linux' ? linuxTools : []),
]

// What setup can say in one sentence; everything the failed child had to say is on the screen already.
class SetupError extends Error {}

function onPath(name, path) {
  const file = windows ? `${name}.exe` : name
  return path.split(delimiter).some(dir => dir !== '' && fs.existsSync(join(dir, file)))
}

/** The environment in which cargo, nasm and cmake are found, for every script that starts cargo. */
export function toolEnv() {
  const env = { ...process.env }
  // Windows spells it Path, and a copy of process.env is no longer blind to case.
  const key = Object.keys(env).find(name => name.toUpperCase() === 'PATH') ?? 'PATH'
  const path = env[key] ?? ''
  const extra = []
  if (fs.existsSync(toolsBin)) extra.push(toolsBin)
  const cargoBin = join(env.CARGO_HOME || join(homedir(), '.cargo'), 'bin')
  if (!onPath('cargo', path) && onPath('cargo', cargoBin)) extra.push(cargoBin)
  const known = path.split(delimiter)
  delete env[key]
  env.PATH = [...extra.filter(dir => !known.includes(dir)), path].filter(Boolean).join(delimiter)
  return env
}

// npm hands its own settings on to what it runs. Flags of the outer command (`npm --prefix x start`, `--global`,
// `--omit=dev`, …) must not steer the inner one; only how to reach the packages is kept.
function npmEnv() {
  const env = { CARGO_TERM_PROGRESS_WHEN: 'auto', ...toolEnv() }
  const kept = /^npm_config_(registry|cache|(user|global)config|cafile|strict_ssl|.*proxy|.*offline|fetch_.*|[/@].*)$/i
  for (const name of Object.keys(env)) {
    if (name === 'INIT_CWD' || (/^npm_/i.test(name) && !kept.test(name))) delete env[name]
  }
  return env
}

function run(step, command, args, { env, quiet = false, shell = false }) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit'
  const child = spawnSync(command, args, { cwd: root, env, stdio, shell, maxBuffer: 1 << 28 })
  if (child.error?.code === 'ENOENT') throw new SetupError(`${step} failed: \`${command}\` was not found.`)
  if (child.error) throw new SetupError(`${step} failed: ${child.error.message}.`)
  if (child.status === 0) return
  if (quiet) process.stderr.write(Buffer.concat([child.stdout, child.stderr]))
  const how = child.signal ? `was stopped by ${child.signal}` : `failed (exit code ${child.status})`
  throw new SetupError(`${step} ${how}; its output is above.`)
}

/** Runs npm, free of the settings of an outer npm. Throws a sentence if it fails. */
export function npm(step, args, { quiet = false } = {}) {
  // Starting npm's own script avoids a shell; other package managers put their own path in this variable.
  const script = process.env.npm_execpath ?? ''
  const env = npmEnv()
  if (basename(script) === 'npm-cli.js' && fs.existsSync(script))
    run(step, process.execPath, [script, ...args], { env, quiet })
  else run(step, 'npm', args, { env, quiet, shell: windows })
}

// The first version number a program prints, or null when it does not run.
function versionOf(command, args, env) {
  const child = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' })
  if (child.error || child.status !== 0) return null
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(child.stdout) ?? []
  return [Number(major), Number(minor)]
}

function older(version, least) {
  return version[0] < least[0] || (version[0] === least[0] && version[1] < least[1])
}

export function checkCompilers() {
  if (older(process.versions.node.split('.').map(Number), [20, 19])) {
    throw new SetupError(`Node 20.19 or newer is needed, this is ${process.version}: get it from https://nodejs.org.`)
  }
  const env = toolEnv()
  const rustup = 'install Rust with rustup (https://rustup.rs) and open a new terminal'
  const cargo = versionOf('cargo', ['--version'], env)
  if (!cargo) {
    if (!onPath('cargo', env.PATH)) throw new SetupError(`Rust is missing (no \`cargo\` on the PATH): ${rustup}.`)
    const step = 'Running `cargo --version` (`rustup default stable` may repair it)'
    run(step, 'cargo', ['--version'], { env, quiet: true })
  }
  // The Rust of a Debian 12 package is years too old, and what cargo says about that is hard to understand.
  const manifest = readText(join(root, 'Cargo.toml')) ?? ''
  const [, major, minor] = /^rust-version\s*=\s*"(\d+)\.(\d+)/m.exec(manifest) ?? []
  if (cargo && major && older(cargo, [Number(major), Number(minor)])) {
    throw new SetupError(`Rust ${major}.${minor} or newer is needed and this is ${cargo.join('.')}: ${rustup}.`)
  }
  // On Windows Rust finds the Microsoft linker by itself and names it when it is missing.
  if (windows || versionOf('cc', ['--version'], env) || versionOf('gcc', ['--version'], env)) return
  const mac = process.platform === 'darwin'
  const how = mac ? '`xcode-select --install`' : '`apt-get install gcc libc6-dev` (or the gcc of your system)'
  throw new SetupError(`A C compiler is missing (neither \`cc\` nor \`gcc\` runs): install one with ${how}.`)
}

function missingTools() {
  const env = toolEnv()
  return buildTools.filter(({ name, also = name, args, least }) => {
    const version = versionOf(name, args, env) ?? versionOf(also, args, env)
    return !version || older(version, least)
  })
}

function installAsRoot(names) {
  const env = { ...toolEnv(), DEBIAN_FRONTEND: 'noninteractive' }
  // dpkg insists on programs that a `su` shell of Debian does not have on its PATH.
  env.PATH += ':/usr/local/sbin:/usr/sbin:/sbin'
  console.log(`Installing ${names.join(', ')} with apt-get …`)
  updateLists([], env)
  const args = ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', ...names]
  run(`Installing ${names.join(', ')} with apt-get`, 'apt-get', args, { env, quiet: true })
}

// One package source that does not answer must not stop the others: it is shown, and the install that follows decides.
function updateLists(options, env) {
  const strict = ['-o', 'APT::Update::Error-Mode=any']
  try {
    run('Updating the apt package lists', 'apt-get', [...options, ...strict, 'update'], { env, quiet: true })
  } catch (error) {
    console.error(error.message)
  }
}

// Without root: apt resolves against the packages of this machine and downloads what is missing, with its lists and
// archives kept below .tools, and dpkg only unpacks.
function installIntoProject(names) {
  const env = toolEnv()
  const apt = join(toolsDir, 'apt')
  const archives = join(apt, 'cache', 'archives')
  const unpacked = join(toolsDir, 'root')
  console.log(`Fetching ${names.join(', ')} into .tools (no root needed) …`)
  fs.rmSync(apt, { recursive: true, force: true })
  for (const dir of [join(archives, 'partial'), join(apt, 'state', 'lists', 'partial'), unpacked, toolsBin]) {
    fs.mkdirSync(dir, { recursive: true })
  }
  const settings = [`Dir::State=${join(apt, 'state')}`, `Dir::Cache=${join(apt, 'cache')}`, `Dir::Log=${apt}`]
  const options = [...settings, 'Debug::NoLocking=true', 'Acquire::Languages=none'].flatMap(text => ['-o', text])
  updateLists(options, env)
  const args = [...options, 'install', '-y', '--download-only', '--no-install-recommends', ...names]
  run(`Downloading ${names.join(', ')} with apt-get`, 'apt-get', args, { env, quiet: true })
  for (const file of fs.readdirSync(archives).filter(name => name.endsWith('.deb'))) {
    run(`Unpacking ${file}`, 'dpkg', ['-x', join(archives, file), unpacked], { env, quiet: true })
  }
  for (const name of names) writeWrapper(name, unpacked)
  fs.rmSync(apt, { recursive: true, force: true })
}

// Only cmake has libraries of its own. A wrapper gives them to cmake alone: set for every child they would reach
// cargo, rustc and gcc too. Its folder is found at run time, so the project may be moved.
function writeWrapper(name, unpacked) {
  const folders = ['usr/lib', 'lib'].flatMap(lib => {
    const full = join(unpacked, lib)
    const names = fs.existsSync(full) ? fs.readdirSync(full) : []
    return names.filter(entry => entry.includes('-linux-')).map(entry => `$root/${lib}/${entry}`)
  })
  const libraries = `export LD_LIBRARY_PATH="${folders.join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n`
  // make starts itself again by the path it was called by, unquoted: a bare name survives a project path with a space.
  const start = name === 'make' ? `PATH="$root/usr/bin:$PATH" exec make` : `exec "$root/usr/bin/${name}"`
  const find = `#!/bin/sh\nroot=$(cd "\${0%/*}/../root" && pwd) || exit 1\n`
  const text = `${find}${name === 'cmake' && folders.length > 0 ? libraries : ''}${start} "$@"\n`
  fs.writeFileSync(join(toolsBin, name), text, { mode: 0o755 })
}

function howToInstall(names) {
  if (process.platform === 'darwin') return `brew install ${names.join(' ')}`
  const ids = { nasm: 'NASM.NASM', cmake: 'Kitware.CMake' }
  if (windows) return `winget install ${names.map(name => ids[name]).join(' ')} (a new terminal must find them)`
  const list = names.join(' ')
  return `dnf install ${list} | pacman -S --needed ${list} | apk add ${list} (the line of your system, as root)`
}

export function ensureTools() {
  const names = missingTools().map(tool => tool.name)
  if (names.length === 0) return
  if (process.platform !== 'linux' || !onPath('apt-get', toolEnv().PATH)) {
    throw new SetupError(`Build tools are missing or too old (${names.join(', ')}): ${howToInstall(names)}`)
  }
  if (process.getuid() === 0) installAsRoot(names)
  // A compiler that is only unpacked does not find its own parts.
  else if (names.includes('g++')) throw new SetupError('A C++ compiler is missing: `apt-get install g++` as root.')
  else installIntoProject(names)
  const [still] = missingTools()
  if (!still) return
  throw new SetupError(`Even after apt-get no ${still.name} >= ${still.least.join('.')} runs: install it by hand.`)
}

/** Where Chromium is, for the test that looks at the results in a browser; undefined where there is none. */
export function browserPath() {
  const folders = [...toolEnv().PATH.split(delimiter), '/usr/bin'].filter(Boolean)
  return folders.map(dir => join(dir, 'chromium')).find(file => fs.existsSync(file))
}

// Programs of Debian that single tests and benchmarks need. Those leave themselves out where one is missing: nothing here is
// an error.
export function ensureTestTools() {
  const wanted = [
    { name: 'Chromium', isThere: () => browserPath() !== undefined, from: 'chromium' },
    { name: "littlecms's transicc", isThere: () => onPath('transicc', toolEnv().PATH), from: 'liblcms2-utils' },
    { name: 'redis-server', isThere: () => onPath('redis-server', toolEnv().PATH), from: 'redis-server' },
    { name: 'wrk', isThere: () => onPath('wrk', toolEnv().PATH), from: 'wrk' },
  ]
  const missing = wanted.filter(({ isThere }) => !isThere())
  if (missing.length === 0) return
  const without = `Tests or benchmarks will be left out that need ${missing.map(({ name }) => name).join(' and ')}`
  if (process.platform !== 'linux' || !onPath('apt-get', toolEnv().PATH) || process.getuid() !== 0) {
    console.log(`${without} (as root on Debian \`npm test\` installs what is missing with apt-get).`)
    return
  }
  try {
    installAsRoot(missing.map(({ from }) => from))
  } catch (error) {
    console.error(`${without}: ${error.message}`)
  }
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null
}

function writeStamp(file, text) {
  fs.mkdirSync(dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}

export function ensurePackages() {
  const lock = readText(join(root, 'package-lock.json'))
  if (lock === null) throw new SetupError('package-lock.json is missing: `git checkout package-lock.json` restores it.')
  // Several packages bring binaries, which are of one platform only.
  const wanted = `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`
  if (readText(packageStamp) === wanted) return
  console.log('Installing the npm packages …')
  fs.rmSync(packageStamp, { force: true })
  npm('Installing the npm packages', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  writeStamp(packageStamp, wanted)
}

// Everything below a folder of the project, build folders left out (cargo marks its own with CACHEDIR.TAG).
function filesBelow(path) {
  const full = join(root, path)
  if (!fs.existsSync(full)) return []
  if (fs.statSync(full).isFile()) return [path]
  if (basename(path) === 'node_modules' || fs.existsSync(join(full, 'CACHEDIR.TAG'))) return []
  return fs.readdirSync(full).flatMap(name => filesBelow(`${path}/${name}`))
}

// Folders named by `members = […]` and by path dependencies, which cargo takes as members without being told.
function memberFolders() {
  const manifest = readText(join(root, 'Cargo.toml')) ?? ''
  const lists = [...manifest.matchAll(/\bmembers\s*=\s*\[([^\]]*)\]/g)].map(match => match[1])
  const paths = [...manifest.matchAll(/\bpath\s*=\s*("[^"]+")/g)].map(match => match[1])
  const quoted = [...lists, ...paths].flatMap(text => [...text.matchAll(/"([^"]+)"/g)].map(match => match[1]))
  // For a pattern such as "crates/*" the folder before the star.
  const folders = quoted.map(text => text.replace(/\/*[^/]*\*.*$/, '').replace(/\/+$/, ''))
  return folders.filter(folder => resolve(root, folder).startsWith(root + sep))
}

// Names every input of the build by content: dates say nothing after a git checkout.
function buildInputs(pkg) {
  const single = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml', 'rust-toolchain', '.cargo/config.toml']
  const files = [...single, 'src', 'core', ...memberFolders()].flatMap(filesBelow)
  const hash = createHash('sha256')
  for (const file of [...new Set(files)].sort()) {
    const content = fs.readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  const node = [process.version.split('.')[0], process.arch, process.platform]
  hash.update(JSON.stringify([pkg.napi, pkg.scripts.build, node]))
  return `${hash.digest('hex')}\n`
}

function built(pkg) {
  const names = fs.readdirSync(root)
  const addon = names.some(name => name.startsWith(`${pkg.napi.binaryName}.`) && name.endsWith('.node'))
  return addon && names.includes('index.js') && names.includes('index.d.ts')
}

function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

export function ensureAddon() {
  const pkg = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8'))
  const inputs = buildInputs(pkg)
  const again = built(pkg)
  if (again && readText(buildStamp) === inputs) return
  console.log(again ? 'Rebuilding the native addon …' : 'Building the native addon (first time: a few minutes) …')
  fs.rmSync(buildStamp, { force: true })
  const start = Date.now()
  npm('Building the native addon', ['run', 'build', '--silent'])
  if (!built(pkg)) throw new SetupError('Building the native addon left no .node file, index.js or index.d.ts behind.')
  writeStamp(buildStamp, inputs)
  console.log(`Native addon built in ${duration(Date.now() - start)}.`)
}

async function main() {
  try {
    checkCompilers()
    ensureTools()
    if (process.argv.includes('--for-tests')) ensureTestTools()
    ensurePackages()
    ensureAddon()
    // The types that it compiles against come with the two steps before.
    const { ensurePlugin } = await import('./build-plugin.mjs')
    ensurePlugin()
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : `Setup failed: ${error.message}`)
    process.exitCode = 1
  }
}

// The path in argv is not resolved when the project is reached through a link; import.meta.url always is.
if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) main()
