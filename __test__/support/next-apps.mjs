// Applications of Next in a folder of their own, with the packed pixrace: built and served by Next's own commands.
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPacked } from './packed.mjs'
import { filesBelow } from './sites.mjs'

const run = promisify(execFile)
const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const modules = join(project, 'node_modules')

const installed = scope => fs.readdirSync(join(modules, scope)).map(name => `${scope}/${name}`)

/**
 * The packages that Next needs, by name; what a package has in a folder of its own comes along with it. With webpack it wants
 * sharp for every image that is imported.
 */
function packagesOfNext() {
  const names = new Set(['next', 'react', 'react-dom', 'sharp', ...['@next', '@img'].flatMap(installed)])
  // A Set hands out what is added while it is walked.
  for (const name of names) {
    const { dependencies = {} } = JSON.parse(fs.readFileSync(join(modules, name, 'package.json'), 'utf8'))
    for (const other of Object.keys(dependencies)) {
      if (fs.existsSync(join(modules, other))) names.add(other)
    }
  }
  return [...names]
}

// Turbopack takes no links that lead out of the project, and a copy of Next would be 300 MB.
function linkTree(from, to) {
  fs.mkdirSync(to, { recursive: true })
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkTree(source, target)
    else if (entry.isFile()) linkFile(source, target)
  }
}

function linkFile(source, target) {
  try {
    fs.linkSync(source, target)
  } catch {
    // On another disk.
    fs.copyFileSync(source, target)
  }
}

/** Ends a process and waits for it. */
async function stop(child) {
  if (child.exitCode !== null) return
  const left = new Promise(done => child.once('exit', done))
  child.kill()
  await left
}

/** The address that a server of Next prints when it is ready. */
function readyAt(child) {
  return new Promise((ready, fail) => {
    let text = ''
    const read = chunk => {
      text += chunk
      const [, address] = /(http:\/\/127\.0\.0\.1:\d+)[\s\S]*Ready/.exec(text) ?? []
      if (address) ready(address)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', () => fail(new Error(`next ended:\n${text}`)))
  })
}

/**
 * A new folder with pixrace, Next and the example. `app(name)` is an application in it, 'next' being the example:
 * `{ folder, write(path, text), build(...args), serve(command), files(path) }`.
 */
export async function openNextApps() {
  const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pixrace-next-')))
  await installPacked(root)
  const names = packagesOfNext().filter(name => !fs.existsSync(join(root, 'node_modules', name)))
  for (const name of names) linkTree(join(modules, name), join(root, 'node_modules', name))
  for (const name of ['next', 'images', 'style.css']) {
    const filter = path => !/node_modules|[\\/]\.next|[\\/]out$/.test(path.slice(project.length))
    fs.cpSync(join(project, 'examples', name), join(root, name), { recursive: true, filter })
  }
  const next = join(root, 'node_modules', 'next', 'dist', 'bin', 'next')
  // In the mode that the command stands for, whatever the tests run in.
  const { NODE_ENV: _, ...own } = process.env
  const env = { ...own, NEXT_TELEMETRY_DISABLED: '1' }
  const children = new Set()

  function app(name) {
    const folder = join(root, name)
    const write = (path, text) => {
      fs.mkdirSync(dirname(join(folder, path)), { recursive: true })
      fs.writeFileSync(join(folder, path), text)
    }
    const build = async (...args) => {
      const { stdout, stderr } = await run(process.execPath, [next, 'build', ...args], { cwd: folder, env }).catch(
        error => Promise.reject(new Error(`next build failed:\n${error.stdout}${error.stderr}`)),
      )
      return stdout + stderr
    }
    const serve = async (command = 'start') => {
      const args = [next, command, '--port', '0', '--hostname', '127.0.0.1']
      const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      children.add(child)
      return { origin: await readyAt(child), stop: () => stop(child) }
    }
    return { folder, write, build, serve, files: path => filesBelow(join(folder, path)) }
  }

  async function close() {
    await Promise.all([...children].map(stop))
    fs.rmSync(root, { recursive: true, force: true })
  }

  return { root, app, close }
}
