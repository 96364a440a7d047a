// Watches what the build layer asks of the engine. To be imported before the plugins: those take the engine's functions
// as they are when they are loaded, which is why this one comes by `require`.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'

const engine = createRequire(import.meta.url)('../../index.js')

export const digestOf = bytes => createHash('sha256').update(bytes).digest('hex')

/** Every picture that was decoded and encoded, in order: the function, the digest of the input and the formats. */
export const encodes = []

/** Calls of those functions that run now, and the most that ever did. */
export const running = { now: 0, most: 0 }

/** Set by tests: what `versions` says of pixrace instead. */
export const pretend = { version: null }

for (const name of ['optimize', 'optimizeMany']) {
  const real = engine[name]
  engine[name] = async (input, ...rest) => {
    encodes.push({ name, input: digestOf(input), formats: rest.at(-1)?.formats ?? [] })
    running.most = Math.max(running.most, ++running.now)
    try {
      return await real(input, ...rest)
    } finally {
      running.now--
    }
  }
}

const { versions } = engine
engine.versions = () => ({ ...versions(), ...(pretend.version && { pixrace: pretend.version }) })
