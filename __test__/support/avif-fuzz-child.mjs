// Child process of avif-input.test.mjs: decodes AVIF files with changed bytes, one after the other, and prints one JSON
// line for each before and after, so that the last line tells what a crash came of. The arguments are the files; the
// changes follow from the seed alone.
import { readFileSync } from 'node:fs'
import pixrace from '../../index.js'

const [mutations, ...names] = process.argv.slice(2)

/** Mulberry32: the same numbers everywhere. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One to eight bytes set to others; every second time only among the first 512, where the boxes are. */
function mutate(file, seed) {
  const random = randomFrom(seed)
  const copy = Buffer.from(file)
  const reach = seed % 2 === 0 ? copy.length : Math.min(512, copy.length)
  for (let left = 1 + Math.floor(random() * 8); left > 0; left--) {
    copy[Math.floor(random() * reach)] = Math.floor(random() * 256)
  }
  return copy
}

const settled = promise => promise.then(() => 'done').catch(error => error.code ?? `no code: ${error.stack}`)
const options = { formats: ['png'], effort: 'fast', keepOriginal: false, limits: { maxPixels: 1 << 22 } }

for (const name of names) {
  const file = readFileSync(name)
  for (let seed = 0; seed < Number(mutations); seed++) {
    console.log(JSON.stringify({ name, seed }))
    const mutant = mutate(file, seed)
    const [header, code] = [await settled(pixrace.inspect(mutant)), await settled(pixrace.optimize(mutant, options))]
    console.log(JSON.stringify({ name, seed, header, code }))
  }
}
