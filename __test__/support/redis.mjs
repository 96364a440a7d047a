// A Redis server of one test, that keeps nothing on disk.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

export async function freePort() {
  const server = createServer()
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Resolves when it takes connections. `dir` is its folder. */
export async function startRedis(dir) {
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir]
  const server = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', code => reject(new Error(`redis-server ended with ${code}`)))
    let output = ''
    server.stdout.on('data', text => {
      output += text
      if (/ready to accept connections/i.test(output)) resolve()
    })
  })
  return { port, server, stop: () => server.kill('SIGKILL') }
}
