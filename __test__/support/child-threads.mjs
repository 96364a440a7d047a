// Run by threads.test.mjs, which watches this process from outside. First all of Node's own threads are made to exist and
// named; then the addon is loaded and calls are made as asked: a list of options, or 'score', all in flight at once. It
// stays until it is told to end, to be looked at in peace.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { threadIds } from './threads.mjs'

const input = await readFile(process.argv[2])
const pixel = await readFile(new URL('../../fixtures/pixel.png', import.meta.url))
// libuv starts its threads with the first work.
await Promise.all(Array.from({ length: 8 }, () => readFile(process.argv[2])))
const own = threadIds()

const { default: pixrace } = await import('../../index.js')
await pixrace.optimize(pixel)
// Its threads look for more work before they sleep; that is not what is to be watched.
await sleep(300)

const make = wish => (wish === 'score' ? pixrace.score(input, input) : pixrace.optimize(input, wish))

process.on('message', async wishes => {
  if (wishes === 'end') return process.disconnect()
  const answers = await Promise.all(wishes.map(make))
  return process.send({
    finished: answers.map(answer => answer.candidates?.filter(({ data }) => data).length ?? answer),
  })
})
process.send({ own })
