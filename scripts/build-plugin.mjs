// Compiles plugin/ twice: to esm/ as ES modules and to cjs/ as CommonJS. Both stand as deep as plugin/ does, so that what
// lies outside of it, the engine, has the same path from all three. Run directly it always builds; set-up calls
// `ensurePlugin`, which builds only when an input changed. It uses nothing but Node's own modules and TypeScript.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'target', '.pixrace-plugin')
// What the result depends on. The lock stands for the compiler and for the types of the dependencies.
const INPUTS = ['plugin', 'index.d.ts', 'package-lock.json', 'scripts/build-plugin.mjs']
const PASSES = [
  { config: 'plugin/tsconfig.json', out: 'esm', type: 'module' },
  { config: 'plugin/tsconfig.cjs.json', out: 'cjs', type: 'commonjs' },
]

/** The paths of all files below a folder, or of the file itself, in a fixed order. */
export function filesBelow(path) {
  if (fs.statSync(path).isFile()) return [path]
  const names = fs.readdirSync(path).sort()
  return names.flatMap(name => filesBelow(join(path, name)))
}

/** One digest of files, names and contents: dates say nothing after a git checkout. */
export function digest(files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = fs.readFileSync(file)
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content)
  }
  return `${hash.digest('hex')}\n`
}

function compile(config, outDir) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, error } = spawnSync(process.execPath, [tsc, '-p', join(root, config), '--outDir', outDir], {
    cwd: root,
    stdio: 'inherit',
  })
  if (error) throw error
  if (status !== 0) throw new Error(`Compiling ${config} failed; its output is above.`)
}

const inputs = () => digest(INPUTS.flatMap(path => filesBelow(join(root, path))))

export function buildPlugin() {
  const built = inputs()
  // First: a build that is cut off must not pass for one.
  fs.rmSync(stamp, { force: true })
  for (const { config, out, type } of PASSES) {
    const made = join(root, 'target', out)
    fs.rmSync(made, { recursive: true, force: true })
    compile(config, made)
    fs.writeFileSync(join(made, 'package.json'), `${JSON.stringify({ type })}\n`)
    // At once: whatever uses the old one meanwhile finds either.
    fs.rmSync(join(root, out), { recursive: true, force: true })
    fs.renameSync(made, join(root, out))
  }
  fs.mkdirSync(dirname(stamp), { recursive: true })
  fs.writeFileSync(stamp, built)
}

export function ensurePlugin() {
  const there = PASSES.every(({ out }) => fs.existsSync(join(root, out)))
  if (there && fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === inputs()) return
  console.log('Compiling the plugins …')
  buildPlugin()
}

function main() {
  try {
    buildPlugin()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}

// The path in argv is not resolved when the project is reached through a link; import.meta.url always is.
if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) main()
