// An npm registry in this process, with the packages that pixrace depends on as they are installed here and nothing
// else: an installation needs no network, and a package that is not published is a 404 like at the real one.
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import { runtimeDependencies } from '../../scripts/npm-licences.mjs'

const run = promisify(execFile)
// Names are part of the path, and tarballs have one behind it; npm writes the slash of a scope as %2f.
const TARBALL = '/-/'

function manifestOf(name, packages, origin) {
  const versions = {}
  for (const { manifest } of packages) {
    const tarball = `${origin}/${name}${TARBALL}${manifest.version}.tgz`
    versions[manifest.version] = { ...manifest, dist: { tarball } }
  }
  return JSON.stringify({ name, versions, 'dist-tags': { latest: packages[0].manifest.version } })
}

// npm takes any single folder at the top of a tarball for the package.
async function tarballOf({ folder }) {
  const args = ['-czf', '-', '--exclude', 'node_modules', '-C', dirname(folder), basename(folder)]
  const { stdout } = await run('tar', args, { encoding: 'buffer', maxBuffer: 1 << 28 })
  return stdout
}

/** Gives `url`, `missing` (the names that were asked for in vain) and `close()`. */
export async function startRegistry() {
  const known = runtimeDependencies()
  const missing = new Set()
  const answer = async (path, origin) => {
    const [name, version] = path.slice(1).split(TARBALL)
    const packages = known.filter(({ manifest }) => manifest.name === name)
    if (packages.length === 0) return null
    if (version === undefined) return manifestOf(name, packages, origin)
    return tarballOf(packages.find(({ manifest }) => `${manifest.version}.tgz` === version))
  }
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url)
    const body = await answer(path, `http://${request.headers.host}`).catch(error => error)
    if (body === null) missing.add(path.slice(1))
    if (body instanceof Error) response.writeHead(500).end(String(body))
    else response.writeHead(body === null ? 404 : 200).end(body ?? '{}')
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = () => new Promise(resolve => server.close(resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, missing, close }
}
