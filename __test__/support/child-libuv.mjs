// Run by threads.test.mjs with a libuv pool of one thread: makes calls, then reads a file, and sends the order in which
// they were done. Work that holds libuv's thread would be in front of the file.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pixrace from '../../index.js'

const path = fileURLToPath(new URL('../../fixtures/photo.jpg', import.meta.url))
const input = readFileSync(path)
const OPTIONS = { effort: 'fast', formats: ['avif', 'jpeg'] }
const order = []
const calls = Array.from({ length: 8 }, () => pixrace.optimize(input, OPTIONS).then(() => order.push('call')))
const reads = Array.from({ length: 4 }, () => readFile(path).then(() => order.push('read')))
await Promise.all([...calls, ...reads])
process.send(order)
process.disconnect()
