// A server in a process of its own: `node server-child.mjs <settings as JSON>`, either `{ handler: <options> }` or
// `{ headers, body: <file> }` for one buffer. Sends its port.
import fs from 'node:fs'
import http from 'node:http'
import { createImageHandler, toNodeHandler } from '../../esm/server/index.js'

function sameAnswer({ headers, body }) {
  const bytes = fs.readFileSync(body)
  return (_, response) => {
    response.writeHead(200, headers)
    response.end(bytes)
  }
}

const settings = JSON.parse(process.argv[2])
const answer = settings.handler ? toNodeHandler(createImageHandler(settings.handler)) : sameAnswer(settings)
const server = http.createServer(answer)
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
