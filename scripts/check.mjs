// Every local check, in the order of their cost. `npm test` and continuous integration run this and nothing else.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { toolEnv } from './setup.mjs'

const bin = name => `node_modules/.bin/${name}`

const tests = fs
  .readdirSync('__test__')
  .filter(name => name.endsWith('.test.mjs'))
  .map(name => `__test__/${name}`)

// AVIF by rav1e.
const WITHOUT_AOM = ['--package', 'pixrace', '--no-default-features']

const CHECKS = [
  [
    'generated files are committed',
    'git',
    ['diff', '--exit-code', '--stat', '--', 'index.js', 'index.d.ts', 'Cargo.lock'],
  ],
  ['third-party notices', 'node', ['scripts/notices.mjs']],
  ['Rust format', 'cargo', ['fmt', '--all', '--check']],
  ['JavaScript format and lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['npm licences', 'node', ['scripts/npm-licences.mjs']],
  ['plugins compile', 'node', ['scripts/build-plugin.mjs']],
  ['types', bin('tsc'), ['--project', '__test__/tsconfig.json']],
  ['package', 'node', ['scripts/check-package.mjs']],
  ['Rust lint', 'cargo', ['clippy', '--release', '--workspace', '--all-targets', '--', '--deny', 'warnings']],
  [
    'Rust lint without libaom',
    'cargo',
    ['clippy', '--release', ...WITHOUT_AOM, '--all-targets', '--', '--deny', 'warnings'],
  ],
  ['Rust tests', 'cargo', ['test', '--release', '--package', 'pixrace', '--package', 'pixrace-aom']],
  ['Rust tests without libaom', 'cargo', ['test', '--release', ...WITHOUT_AOM, '--', 'avif']],
  // By name: what a folder means to `node --test` differs between versions of Node.
  ['Node tests', 'node', ['--test', '--test-concurrency=1', ...tests]],
]

/** For cargo the target that the addon was built for, by name: what was compiled for it is not compiled again. */
function cargoEnv() {
  const env = toolEnv()
  const { stdout } = spawnSync('rustc', ['-vV'], { env, encoding: 'utf8' })
  const host = /^host: (.+)$/m.exec(stdout ?? '')?.[1]
  return { ...(host && { CARGO_BUILD_TARGET: host }), ...env }
}

const env = cargoEnv()

/** Runs one check with its output shown; whether it passed. */
function run(title, command, args) {
  console.log(`\n▶ ${title}: ${command} ${args.join(' ')}`)
  const started = performance.now()
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const passed = status === 0
  console.log(`${passed ? '✔' : '✖'} ${title} (${seconds} s)${error ? `: ${error.message}` : ''}`)
  return passed
}

const failed = CHECKS.filter(([title, command, args]) => !run(title, command, args)).map(([title]) => title)
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}.`)
  process.exit(1)
}
console.log(`\nAll ${CHECKS.length} checks passed.`)
