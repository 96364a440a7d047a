// An image server in a process of its own: `<options of the handler as JSON>`. Sends `{ port }`, and then answers messages:
// 'hold' and 'open' hold up the engine and let it go on, 'state' asks for the state, 'end' ends it.
import http from 'node:http'
import { createRequire } from 'node:module'

const engine = createRequire(import.meta.url)('../../index.js')
const { optimize } = engine
/** Calls by the width that they make. */
const calls = { begun: [], done: [] }
let gate = Promise.resolve()
let open = () => {}

// Before the handler is loaded, which takes the engine's functions as they are then.
engine.optimize = async (input, options) => {
  const { signal, resize } = options
  calls.begun.push(resize.width)
  // Who hangs up must not wait for the gate.
  const left = new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  if (!signal.aborted) await Promise.race([gate, left])
  const result = await optimize(input, options)
  calls.done.push(resize.width)
  return result
}
const { createImageHandler, toNodeHandler } = await import('../../esm/server/index.js')

const handler = createImageHandler(JSON.parse(process.argv[2]))
const server = http.createServer(toNodeHandler(handler))

async function state() {
  const text = await (await handler.metrics()).text()
  const gauges = [...text.matchAll(/^pixrace_images_(\w+) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)])
  return { ...Object.fromEntries(gauges), ...calls, peakMib: process.resourceUsage().maxRSS / 1024 }
}

process.on('message', async message => {
  if (message === 'end') return process.disconnect()
  if (message === 'hold') {
    gate = new Promise(resolve => {
      open = resolve
    })
  }
  if (message === 'open') open()
  process.send(await state())
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
