// The package as users get it: packed, and installed into a folder of its own.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pack } from '../../scripts/pack.mjs'
import { startRegistry } from './registry.mjs'

const run = promisify(execFile)
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const windows = process.platform === 'win32'
// No compiler, cargo, cmake or make: what a slim container has beside Node.
const PROGRAMS = ['node', 'npm', 'sh', 'env', 'cat', 'cp', 'dirname', 'ls', 'mkdir', 'mv', 'rm', 'uname']

function onPath(name) {
  if (name === 'node') return process.execPath
  const found = process.env.PATH.split(delimiter).find(folder => fs.existsSync(join(folder, name)))
  if (!found) throw new Error(`${name} is not on the PATH.`)
  return fs.realpathSync(join(found, name))
}

/** An environment whose PATH leads to Node, npm and some of the coreutils only, and in which no setting of npm is left. */
export function bareEnv(dir) {
  // Windows needs more of its environment than can be listed here.
  if (windows) return process.env
  const bin = join(dir, '.bin')
  fs.mkdirSync(bin, { recursive: true })
  for (const name of PROGRAMS) {
    if (!fs.existsSync(join(bin, name))) fs.symlinkSync(onPath(name), join(bin, name))
  }
  return { PATH: bin, HOME: dir, TMPDIR: dir }
}

// Bundlers are linked, not installed: hundreds of packages would have to be fetched, and they are what is tested with
// anyway. Node follows the link, so their own dependencies are found where they are.
function link(name, dir) {
  const target = join(dir, 'node_modules', name)
  fs.mkdirSync(dirname(target), { recursive: true })
  fs.symlinkSync(join(root, 'node_modules', name), target, 'junction')
}

/**
 * Makes `dir` a project with pixrace installed by npm from its tarballs, without network, scripts or compilers.
 * `extraPackages` are names of packages in this project's node_modules, which are made available beside it. Gives
 * `packed` (the tarballs, see scripts/pack.mjs), `env` (see `bareEnv`) and `missing`, the names of packages that npm
 * asked the registry for in vain. Packing is skipped where out/npm is up to date.
 */
export async function installPacked(dir, extraPackages = []) {
  const packed = pack()
  const env = bareEnv(dir)
  const registry = await startRegistry()
  const npm = args => run('npm', args, { cwd: dir, env, shell: windows })
  // A cache of its own: what this registry hands out is not byte for byte what the real one does.
  const settings = [`--registry=${registry.url}`, `--cache=${join(dir, '.npm')}`, '--no-update-notifier']
  const quick = ['--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0']
  try {
    await npm(['init', '-y', ...settings])
    await npm(['install', packed.main, ...packed.platforms, ...quick, ...settings])
  } finally {
    await registry.close()
  }
  for (const name of extraPackages) link(name, dir)
  return { packed, env, missing: [...registry.missing].sort() }
}
