// What is published: the files of the tarballs, and that a project which installs them has everything it needs, without
// a compiler, without running scripts and although the packages of other platforms are not there.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pixrace from '../index.js'
import { installPacked } from './support/packed.mjs'

const run = promisify(execFile)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pkg = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8'))
const BUNDLERS = ['vite', 'rollup', 'webpack', '@rspack/core']
// The named export of each, which CommonJS needs.
const PLUGINS = { vite: 'pixrace', rollup: 'pixrace', webpack: 'PixracePlugin', rspack: 'PixracePlugin' }

const dir = fs.mkdtempSync(join(tmpdir(), 'pixrace-package-'))
let installed

before(async () => {
  installed = await installPacked(dir, [...BUNDLERS, '@types/node'])
})

after(() => fs.rmSync(dir, { recursive: true, force: true }))

function filesOf(tarball) {
  const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split(/\r?\n/)
  return listed.map(name => name.replace(/^package\//, '')).sort()
}

const kilobytes = file => `${(fs.statSync(file).size / 1000).toFixed(0)} kB`

// What the compiler makes of every source, and no other file.
function compiled() {
  const names = fs.readdirSync(join(root, 'plugin'), { recursive: true }).map(name => name.replaceAll('\\', '/'))
  const sources = names.filter(name => /\.c?ts$/.test(name) && !name.endsWith('.d.ts'))
  const outputs = sources.flatMap(name => [name.replace(/ts$/, 'js'), name.replace(/\.(c?ts)$/, '.d.$1')])
  return [...outputs, 'package.json'].flatMap(name => [`esm/${name}`, `cjs/${name}`])
}

/** Runs code in the project that has the package installed, and gives the JSON that it writes. */
async function inProject(type, code) {
  const file = join(dir, `ask.${type === 'module' ? 'mjs' : 'cjs'}`)
  fs.writeFileSync(file, code)
  const { stdout } = await run(process.execPath, [file], { cwd: dir, env: installed.env })
  return JSON.parse(stdout)
}

test('the main package has its entries, their types and the licences, and nothing else', t => {
  const { main } = installed.packed
  const own = ['LICENSE', 'README.md', 'THIRD_PARTY_NOTICES.md', 'package.json', 'index.js', 'index.d.ts']
  assert.deepEqual(filesOf(main), [...own, 'plugin/client.d.ts', ...compiled()].sort())
  assert.ok(fs.statSync(main).size < 300_000, kilobytes(main))
  t.diagnostic(`pixrace: ${kilobytes(main)} packed`)
})

test('a platform package has its addon, the licences of what is inside, and nothing else', t => {
  for (const tarball of installed.packed.platforms) {
    const files = filesOf(tarball)
    const addons = files.filter(name => name.endsWith('.node'))
    assert.equal(addons.length, 1)
    assert.deepEqual(files, ['LICENSE', 'README.md', 'THIRD_PARTY_NOTICES.md', 'package.json', addons[0]].sort())
    t.diagnostic(`${addons[0]}: ${kilobytes(tarball)} packed`)
  }
})

test('the published manifest names a package for every target, and nothing that only the project needs', () => {
  const manifest = JSON.parse(fs.readFileSync(join(dir, 'node_modules/pixrace/package.json'), 'utf8'))
  assert.equal(Object.keys(manifest.optionalDependencies).length, pkg.napi.targets.length)
  for (const [name, version] of Object.entries(manifest.optionalDependencies)) {
    assert.match(name, /^pixrace-(linux|darwin|win32)-/)
    assert.equal(version, pkg.version)
  }
  for (const key of ['dependencies', 'peerDependencies', 'exports', 'engines']) {
    assert.deepEqual(manifest[key], pkg[key])
  }
  for (const key of ['devDependencies', 'scripts', 'overrides', 'napi']) assert.equal(key in manifest, false, key)
})

test('versions agree: package.json, its lock, the workspace and the addon', () => {
  const workspace = /^\[workspace\.package\]\s*version = "([^"]+)"/m.exec(
    fs.readFileSync(join(root, 'Cargo.toml'), 'utf8'),
  )
  const lock = JSON.parse(fs.readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const found = [workspace[1], pixrace.versions().pixrace, lock.version, lock.packages[''].version]
  assert.deepEqual(
    found,
    found.map(() => pkg.version),
  )
})

test('npm passes over platform packages that the registry does not have', () => {
  const { packed, missing } = installed
  // It asks for all of them, that of this platform included, which it then takes from the tarball.
  assert.equal(missing.filter(name => name.startsWith('pixrace')).length, pkg.napi.targets.length)
  const there = fs.readdirSync(join(dir, 'node_modules')).filter(name => name.startsWith('pixrace'))
  assert.equal(there.length, 1 + packed.platforms.length)
})

test('nothing that could compile is on the PATH of the installation', { skip: process.platform === 'win32' }, () => {
  const names = fs.readdirSync(installed.env.PATH)
  for (const name of ['cc', 'gcc', 'g++', 'make', 'cmake', 'cargo', 'rustc', 'nasm', 'python3']) {
    assert.equal(names.includes(name), false, name)
  }
})

for (const [type, load] of [
  ['module', "import { optimize } from 'pixrace'\nimport { readFileSync } from 'node:fs'\n"],
  ['commonjs', "const { optimize } = require('pixrace')\nconst { readFileSync } = require('node:fs')\n"],
]) {
  test(`the installed package optimises an image (${type})`, async () => {
    const file = JSON.stringify(join(root, 'fixtures', 'photo.png'))
    const result = await inProject(
      type,
      `${load}optimize(readFileSync(${file})).then(({ format, data, input }) => {
        console.log(JSON.stringify({ format, bytes: data.length, before: input.bytes }))
      })`,
    )
    assert.ok(result.bytes > 0 && result.bytes < result.before, JSON.stringify(result))
  })
}

// By the list in package.json: an entry that is added there is tried here.
const ENTRIES = Object.keys(pkg.exports).map(path => path.replace(/^\./, 'pixrace'))
const LOADABLE = ENTRIES.filter(name => !['pixrace/client', 'pixrace/package.json'].includes(name))

// What else has functions to call, by entry.
const FUNCTIONS = {
  'pixrace/server': ['createImageHandler', 'toNodeHandler'],
  'pixrace/next': ['default', 'withPixrace'],
  'pixrace/next/route': ['GET', 'HEAD', 'createNextImageHandler'],
}

const ASK = `const kinds = module => Object.keys(module).filter(key => typeof module[key] === 'function')
const names = ${JSON.stringify(LOADABLE)}
`

for (const [type, code] of [
  ['module', 'const loaded = await Promise.all(names.map(name => import(name)))\n'],
  ['commonjs', 'const loaded = names.map(name => require(name))\n'],
]) {
  test(`every entry loads (${type})`, async () => {
    const print = 'console.log(JSON.stringify(Object.fromEntries(names.map((name, i) => [name, kinds(loaded[i])]))))'
    const kinds = await inProject(type, ASK + code + print)
    assert.deepEqual(Object.keys(kinds), LOADABLE)
    for (const [name, named] of Object.entries(PLUGINS)) {
      assert.deepEqual(kinds[`pixrace/${name}`].sort(), [named, 'default'].sort(), name)
    }
    for (const [name, named] of Object.entries(FUNCTIONS)) assert.deepEqual(kinds[name].sort(), named.sort(), name)
  })
}

test('package.json is an entry too, for tools that look there', async () => {
  const version = await inProject('commonjs', "console.log(JSON.stringify(require('pixrace/package.json').version))")
  assert.equal(version, pkg.version)
})

test('TypeScript finds the types of every entry, from ES modules and from CommonJS', async () => {
  const lines = [
    "/// <reference types='pixrace/client' />",
    "import { type OptimizeResult, optimize } from 'pixrace'",
    ...Object.entries(PLUGINS).map(
      ([name, named]) => `import ${name}, { ${named} as ${name}Named } from 'pixrace/${name}'`,
    ),
    "import next, { withPixrace } from 'pixrace/next'",
    "import { createNextImageHandler, GET, HEAD } from 'pixrace/next/route'",
    "import { createImageHandler, toNodeHandler } from 'pixrace/server'",
    'export const served = [next, withPixrace, createNextImageHandler, GET, HEAD, createImageHandler, toNodeHandler]',
    '// @ts-expect-error: the same for what is served.',
    "createImageHandler({ widths: '640' })",
    'export const result: Promise<OptimizeResult> = optimize(new Uint8Array())',
    `export const made = [${Object.keys(PLUGINS)
      .flatMap(name => [name, `${name}Named`])
      .join(', ')}]`,
    '// @ts-expect-error: types that are not found, and were `any`, would take a string for a boolean.',
    "export const wrong = optimize(new Uint8Array(), { lossless: 'yes' })",
  ]
  for (const name of ['use.mts', 'use.cts']) fs.writeFileSync(join(dir, name), `${lines.join('\n')}\n`)
  const compilerOptions = { module: 'nodenext', strict: true, noEmit: true, types: ['node'], skipLibCheck: true }
  fs.writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.mts', 'use.cts'] }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = await run(process.execPath, [tsc, '-p', dir]).catch(error => error)
  assert.equal(stdout, '')
})
