// Third-party notices: which crates and C libraries end up in the addon, under which licences, with their texts.
// Without arguments it checks that THIRD_PARTY_NOTICES.md is up to date; with --write it writes the file. Either way it
// fails when a licence does not allow what this package does with it: ship binaries under MIT.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ALLOWED, chooseLicences, isAllowed } from './licences.mjs'
import { toolEnv } from './setup.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const noticesFile = join(root, 'THIRD_PARTY_NOTICES.md')

// Code that crates carry along under terms of its own, which no manifest tells. `texts` are licence files, `headers` are
// sources whose opening comment is the licence, `holders` are folders whose copyright lines belong to it; `copyright` is
// that of code under the MIT licence that ships no file of its own for it.
const BUNDLED = [
  {
    ...{ crate: 'libwebp-sys', title: 'libwebp', licence: 'BSD-3-Clause' },
    ...{ url: 'https://chromium.googlesource.com/webm/libwebp', texts: ['vendor/COPYING', 'vendor/PATENTS'] },
  },
  {
    ...{ crate: 'mozjpeg-sys', title: 'mozjpeg and libjpeg-turbo', licence: 'IJG AND BSD-3-Clause AND Zlib' },
    ...{ url: 'https://github.com/mozilla/mozjpeg', texts: ['LICENSE'], headers: ['vendor/simd/nasm/jsimdext.inc'] },
    note: 'This software is based in part on the work of the Independent JPEG Group.',
  },
  {
    ...{ crate: 'libmimalloc-sys', title: 'mimalloc', licence: 'MIT' },
    ...{ url: 'https://github.com/microsoft/mimalloc', texts: ['c_src/mimalloc/v2/LICENSE'] },
  },
  {
    ...{ crate: 'libdeflate-sys', title: 'libdeflate', licence: 'MIT' },
    ...{ url: 'https://github.com/ebiggers/libdeflate', texts: ['libdeflate/COPYING'] },
  },
  {
    ...{ crate: 'rav1e', title: 'dav1d (assembly)', licence: 'BSD-2-Clause' },
    ...{ url: 'https://code.videolan.org/videolan/dav1d', headers: ['src/x86/mc_avx2.asm'] },
    holders: ['src/x86', 'src/arm'],
  },
  {
    ...{ crate: 'rav1e', title: 'x86inc.asm of x264', licence: 'ISC' },
    ...{ url: 'https://code.videolan.org/videolan/x264', headers: ['src/ext/x86/x86inc.asm'] },
  },
  {
    ...{ crate: 'libaom-sys', title: 'libaom', licence: 'BSD-2-Clause' },
    ...{ url: 'https://aomedia.googlesource.com/aom', texts: ['vendor/LICENSE', 'vendor/PATENTS'] },
  },
  {
    ...{ crate: 'libaom-sys', title: 'SVT-AV1 (convolution in libaom)', licence: 'BSD-3-Clause-Clear' },
    ...{ url: 'https://gitlab.com/AOMediaCodec/SVT-AV1' },
    texts: ['vendor/third_party/SVT-AV1/LICENSE.md', 'vendor/third_party/SVT-AV1/PATENTS.md'],
  },
  {
    ...{ crate: 'libaom-sys', title: 'FAST corner detector (in libaom)', licence: 'BSD-3-Clause' },
    ...{ url: 'https://github.com/edrosten/fast-C-src', texts: ['vendor/third_party/fastfeat/LICENSE'] },
  },
  {
    ...{ crate: 'libaom-sys', title: 'Vector (in libaom)', licence: 'MIT' },
    ...{ url: 'https://github.com/goldsborough/vector', texts: ['vendor/third_party/vector/LICENSE'] },
  },
  {
    ...{ crate: 'libaom-sys', title: 'x86inc.asm of x264 (in libaom)', licence: 'ISC' },
    ...{ url: 'https://code.videolan.org/videolan/x264', texts: ['vendor/third_party/x86inc/LICENSE'] },
  },
  {
    ...{ crate: 're_rav1d', title: 'dav1d (assembly) of the decoder', licence: 'BSD-2-Clause' },
    ...{ url: 'https://code.videolan.org/videolan/dav1d', headers: ['src/x86/mc_avx2.asm'] },
    holders: ['src/x86', 'src/arm'],
  },
  {
    ...{ crate: 're_rav1d', title: 'x86inc.asm of x264 of the decoder', licence: 'ISC' },
    ...{ url: 'https://code.videolan.org/videolan/x264', headers: ['src/ext/x86/x86inc.asm'] },
  },
  {
    ...{ crate: 're_rav1d', title: 'dav1d-rs (in Rust)', licence: 'MIT', copyright: '2018 Luca Barbato' },
    url: 'https://github.com/rust-av/dav1d-rs',
  },
]
// A crate that needs one of these to build compiles C or assembly, so it has to be looked at and entered above.
const FOREIGN_BUILDERS = ['cc', 'cmake', 'nasm-rs']
// These compile nothing but their own code, under their own licence.
const OWN_CODE = ['blake3']

// For crates whose manifest names a file instead of a licence: what that file says, read by a person.
const READ_LICENCES = { quantizr: 'MIT' }

// For crates that name one of these in their manifest and ship no text.
const TEXTS = {
  MIT: `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
  'BSD-2-Clause': `Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES;
LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS
SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`,
}

// What can be said in a sentence; anything else is a fault of this script and keeps its stack.
class NoticeError extends Error {}

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

function metadata() {
  const { napi } = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8'))
  const platforms = napi.targets.flatMap(target => ['--filter-platform', target])
  const args = ['metadata', '--format-version', '1', '--locked', ...platforms]
  const cargo = spawnSync('cargo', args, { cwd: root, env: toolEnv(), encoding: 'utf8', maxBuffer: 1 << 28 })
  if (cargo.error) throw new NoticeError(`cargo does not run: ${cargo.error.message}.`)
  if (cargo.status !== 0) throw new NoticeError(`\`cargo metadata\` failed:\n${cargo.stderr.trim()}`)
  return JSON.parse(cargo.stdout)
}

// Everything that normal dependencies reach from the workspace, macros included: what they expand to is linked as well.
function linkedCrates({ packages, resolve, workspace_members: members }) {
  const packageOf = new Map(packages.map(crate => [crate.id, crate]))
  const nodeOf = new Map(resolve.nodes.map(node => [node.id, node]))
  const reached = new Set(members)
  // A Set hands out what is added while it is walked.
  for (const id of reached) {
    const normal = nodeOf.get(id).deps.filter(dep => dep.dep_kinds.some(({ kind }) => kind === null))
    for (const dep of normal) reached.add(dep.pkg)
  }
  const foreign = id => {
    const builds = nodeOf.get(id).deps.filter(dep => dep.dep_kinds.some(({ kind }) => kind === 'build'))
    return builds.some(dep => FOREIGN_BUILDERS.includes(packageOf.get(dep.pkg).name))
  }
  return [...reached]
    .filter(id => !members.includes(id))
    .map(id => packageOf.get(id))
    .map(crate => ({
      ...{ ...crate, license: crate.license ?? READ_LICENCES[crate.name] },
      ...{ folder: dirname(crate.manifest_path), foreign: foreign(crate.id) },
    }))
    .sort((a, b) => byText(a.name, b.name) || byText(a.version, b.version))
}

// All faults at once: nobody wants to learn of them one by one.
function verify(crates) {
  const faults = []
  for (const { name, version, license, foreign } of crates) {
    if (!license) faults.push(`${name} ${version} names no licence.`)
    else if (!isAllowed(license)) faults.push(`${name} ${version} is under "${license}", which is not allowed here.`)
    if (foreign && !OWN_CODE.includes(name) && !BUNDLED.some(entry => entry.crate === name)) {
      faults.push(`${name} ${version} compiles foreign code: enter it in BUNDLED or OWN_CODE.`)
    }
  }
  for (const { crate, title, licence } of BUNDLED) {
    if (!crates.some(({ name }) => name === crate)) faults.push(`${crate} is gone: take ${title} out of BUNDLED.`)
    if (!isAllowed(licence)) faults.push(`${title} is under "${licence}", which is not allowed here.`)
  }
  if (faults.length > 0) throw new NoticeError(faults.join('\n'))
}

const read = path => fs.readFileSync(path, 'utf8').replace(/\r\n?/g, '\n')

// The licence that a file is named after, or null for a plain LICENSE, COPYING, NOTICE ….
function licenceOfFile(file) {
  if (/^unlicen[sc]e/i.test(file)) return 'Unlicense'
  const [, suffix = ''] = /^licen[sc]e[-_.]([a-z0-9]+)/i.exec(file) ?? []
  const aliases = { mit0: 'MIT-0', a2: 'Apache-2.0', a2llvm: 'Apache-2.0 WITH LLVM-exception' }
  const short = id => id.toLowerCase().split('-')[0]
  return aliases[suffix.toLowerCase()] ?? ALLOWED.find(id => short(id) === suffix.toLowerCase()) ?? null
}

// Texts of the chosen licences; files that are not named after a licence always belong.
function crateTexts({ folder, name, authors, license }) {
  const chosen = chooseLicences(license)
  const named = /^(licen[sc]e|unlicen[sc]e|copying|copyright|notice|patents)([-_.]|$)/i
  const files = fs.readdirSync(folder).filter(file => named.test(file))
  const wanted = files.filter(file => [...chosen, null].includes(licenceOfFile(file))).sort(byText)
  const texts = wanted.filter(file => fs.statSync(join(folder, file)).isFile()).map(file => read(join(folder, file)))
  if (texts.length > 0) return texts
  const text = TEXTS[chosen.join()]
  if (!text) throw new NoticeError(`${name} ships no text of ${chosen.join(' and ')}.`)
  return [`Copyright (c) ${people(authors) || `the authors of ${name}`}\n\n${text}`]
}

// The opening comment of a source file without its comment signs.
function headerText(file) {
  const lines = read(file).split('\n')
  const end = lines.findIndex(line => !/^\s*([;*]|\/\*|$)/.test(line))
  const bare = lines.slice(0, end).map(line => line.replace(/^\s*(\/\*+|\*\/|;[*]*|[*]+\/?)\s?/, ''))
  // Drawn lines part it; what follows the disclaimer is no licence.
  const parts = bare.join('\n').split(/^\s*[*=-]{9,}\s*$/m)
  return parts.slice(0, parts.findIndex(part => /AS[ -]IS/i.test(part)) + 1).join('\n')
}

function sourcesBelow(folder) {
  const files = fs.readdirSync(folder, { recursive: true })
  return files.filter(file => /\.(asm|S)$/.test(file)).map(file => join(folder, file))
}

function bundledTexts({ texts = [], headers = [], holders = [], copyright: mitCopyright }, folder) {
  const copyright = /^\s*Copyright ©/
  const files = holders.flatMap(sub => sourcesBelow(join(folder, sub)))
  const lines = files.flatMap(file => headerText(file).split('\n')).filter(line => copyright.test(line))
  const credits = [...new Set(lines.map(line => line.trim()))].sort(byText).join('\n')
  const body = file => {
    const text = headerText(join(folder, file))
    if (holders.length === 0) return text
    return `${credits}\n${text.replace(/^\s*Copyright ©.*\n/gm, '')}`
  }
  const mit = mitCopyright ? [`Copyright (c) ${mitCopyright}\n\n${TEXTS.MIT}`] : []
  return [...texts.map(file => read(join(folder, file))), ...headers.map(body), ...mit]
}

const people = authors => authors.map(author => author.replace(/\s*<[^>]*>/g, '').trim()).join(', ')
const cell = text => text.replaceAll('|', '\\|')

// Texts that differ in nothing but line breaks are one.
function collectTexts(crates) {
  const collected = new Map()
  const add = (user, text) => {
    const key = text.replace(/\s+/g, ' ').trim()
    const trimmed = text.replace(/[ \t]+$/gm, '').replace(/^\n+|\n+$/g, '')
    const entry = collected.get(key) ?? { text: trimmed.replaceAll('\f', ''), users: new Set() }
    collected.set(key, entry)
    entry.users.add(user)
  }
  for (const entry of BUNDLED) {
    const { folder } = crates.find(({ name }) => name === entry.crate)
    for (const text of bundledTexts(entry, folder)) add(entry.title, text)
  }
  for (const crate of crates) for (const text of crateTexts(crate)) add(`${crate.name} ${crate.version}`, text)
  return [...collected.values()].map(({ text, users }) => ({ text, users: [...users] }))
}

function render(crates) {
  const libraries = BUNDLED.map(entry => `| [${entry.title}](${entry.url}) | ${entry.licence} | ${entry.crate} |`)
  const rows = crates.map(({ name, version, license, repository, authors }) => {
    const title = repository ? `[${name}](${repository})` : name
    return `| ${title} | ${version} | ${license} | ${cell(people(authors))} |`
  })
  const texts = collectTexts(crates).map(
    ({ text, users }) => `### ${users.join(', ')}\n\n\`\`\`\`text\n${text}\n\`\`\`\`\n`,
  )
  const notes = BUNDLED.filter(entry => entry.note).map(entry => `${entry.note}\n`)
  return `<!-- Written by \`npm run notices\` (scripts/notices.mjs); do not edit. -->

# Third-party notices

The native addon of pixrace contains the following software on at least one of its platforms.

${notes.join('\n')}
## Libraries that crates carry along

| Library | Licence | Comes with the crate |
| --- | --- | --- |
${libraries.join('\n')}

## Rust crates

| Crate | Version | Licence | Authors |
| --- | --- | --- | --- |
${rows.join('\n')}

## Licence texts

Where a crate offers a choice of licences, the text is that of the chosen one.

${texts.join('\n')}`
}

function main(args) {
  try {
    const crates = linkedCrates(metadata())
    verify(crates)
    const text = render(crates)
    const counts = `${crates.length} crates, ${BUNDLED.length} libraries`
    if (args.includes('--write')) {
      fs.writeFileSync(noticesFile, text)
      console.log(`THIRD_PARTY_NOTICES.md written: ${counts}.`)
    } else if (!fs.existsSync(noticesFile) || read(noticesFile) !== text) {
      throw new NoticeError('THIRD_PARTY_NOTICES.md is out of date: `npm run notices` writes it anew.')
    } else console.log(`THIRD_PARTY_NOTICES.md is up to date: ${counts}, all under allowed licences.`)
  } catch (error) {
    if (!(error instanceof NoticeError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

// The path in argv is not resolved when the project is reached through a link; import.meta.url always is.
if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  main(process.argv.slice(2))
}
