// The gate for npm packages that users install with this one: their licences. They are not part of what is shipped, so
// their texts come with themselves.
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isAllowed } from './licences.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const readJson = path => JSON.parse(fs.readFileSync(path, 'utf8'))

// Permissive, and of code that is only depended on. `ALLOWED` is for what is inside the addon, whose texts are shipped.
const ALSO_ALLOWED = ['BlueOak-1.0.0']

// As Node finds it: beside the package that asks, then outwards.
function find(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (fs.existsSync(join(candidate, 'package.json'))) return candidate
    if (folder === root || folder === dirname(folder)) return null
  }
}

/**
 * What npm installs for a user of this package, from the packages installed here: the dependencies, theirs and so on.
 * Each is its folder and its package.json. Throws where one is not installed.
 */
export function runtimeDependencies() {
  const folders = new Set([root])
  // A Set hands out what is added while it is walked.
  for (const folder of folders) {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = readJson(
      join(folder, 'package.json'),
    )
    const optional = name => optionalDependencies?.[name] ?? peerDependenciesMeta?.[name]?.optional
    for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (peerDependenciesMeta?.[name]?.optional && !dependencies?.[name]) continue
      const found = find(name, folder)
      if (found) folders.add(found)
      else if (!optional(name)) throw new Error(`${name} is not installed, which ${folder} depends on: \`npm ci\`.`)
    }
  }
  folders.delete(root)
  return [...folders].map(folder => ({ folder, manifest: readJson(join(folder, 'package.json')) }))
}

function main() {
  const packages = runtimeDependencies()
  const refused = packages.filter(({ manifest: { license } }) => {
    return typeof license !== 'string' || !(ALSO_ALLOWED.includes(license) || isAllowed(license))
  })
  for (const { manifest } of refused) {
    console.error(
      `${manifest.name} ${manifest.version} is under ${JSON.stringify(manifest.license)}: not allowed here.`,
    )
  }
  if (refused.length > 0) process.exitCode = 1
  else console.log(`${packages.length} npm packages come with this one, all under allowed licences.`)
}

// The path in argv is not resolved when the project is reached through a link; import.meta.url always is.
if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) main()
