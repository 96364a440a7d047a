// Counts what the handler asks of the engine, and holds it up. To be imported before anything that loads the engine.
import { createRequire } from 'node:module'

const engine = createRequire(import.meta.url)('../../index.js')
const { optimize } = engine

/** Every call so far: its options, whether it was aborted, and whether it is over. */
export const calls = []
let gate = Promise.resolve()

/** Calls wait from now on, until the function that this gives is called. */
export function hold() {
  let open
  gate = new Promise(resolve => {
    open = resolve
  })
  return open
}

engine.optimize = async (input, options) => {
  const call = { options, bytes: input.length, aborted: false, ended: false }
  calls.push(call)
  const { signal } = options
  const aborted = new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', resolve, { once: true })
  })
  aborted.then(() => {
    call.aborted = true
  })
  try {
    await Promise.race([gate, aborted])
    return await optimize(input, options)
  } finally {
    call.ended = true
  }
}
