// Looks at the packed package as its users will: publint at the manifest, "are the types wrong" at the types of every
// entry, for each way of importing it.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from './pack.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a program of an installed package; whether it was content. */
function run(name, command, args) {
  const folder = join(root, 'node_modules', name)
  const { bin } = JSON.parse(fs.readFileSync(join(folder, 'package.json'), 'utf8'))
  const script = join(folder, typeof bin === 'string' ? bin : bin[command])
  const { status, error } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
  if (error) throw error
  return status === 0
}

const { main, platforms } = pack()
const linted = [main, ...platforms].map(file => run('publint', 'publint', ['run', file, '--strict']))
// Resolution before Node 16 knows no `exports`, so nothing below the package could be found by it.
const typed = run('@arethetypeswrong/cli', 'attw', [main, '--profile', 'node16', '--no-emoji', '--format', 'ascii'])
if (!typed || linted.includes(false)) process.exitCode = 1
