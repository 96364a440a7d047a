// Two tools at the same look: the files that count, and the `minScore` that brings ours to another's mean score.
import pixrace from '../../index.js'

/** The most points by which files may be better than the `minScore` they were made for; beyond it the search looks no further. */
const MOST_ABOVE = 16

// In the order in which a page offers them; what is left is for browsers that know none of these.
const FIRST = ['avif', 'webp']
const rank = ({ format }) => (FIRST.includes(format) ? FIRST.indexOf(format) : FIRST.length)

/** What a browser that knows every format loads: of each picture and width the file that a page offers first. */
export function firstChoices(files) {
  const chosen = new Map()
  for (const file of files) {
    const key = `${file.source} ${file.width}`
    const known = chosen.get(key)
    if (!known || rank(file) < rank(known)) chosen.set(key, file)
  }
  return [...chosen.values()]
}

/**
 * The least whole `minScore` whose mean score is at least `wanted`; `meanAt` gives the mean that a `minScore` leads to. No
 * file is below its `minScore`, so that `wanted` rounded up always does.
 */
export async function leastMatching(meanAt, wanted) {
  let passed = Math.min(100, Math.ceil(wanted))
  let failed = Math.max(0, passed - MOST_ABOVE)
  while (passed - failed > 1) {
    const middle = Math.floor((passed + failed) / 2)
    if ((await meanAt(middle)) >= wanted) passed = middle
    else failed = middle
  }
  return passed
}

/** Bytes of each file if pixrace makes it alone: as another tool's in format and width, and with at least its score. */
export async function bytesAlike(files, pictures) {
  const sizes = []
  for (const { source, format, width, score } of files) {
    const { bytes } = pictures.find(({ name }) => name === source)
    // Two decimals are more than anybody sees, and a picture in another size is compared with another tool's resizing.
    const minScore = Math.floor(score * 100) / 100
    sizes.push((await pixrace.optimize(bytes, { formats: [format], minScore, resize: { width } })).data.length)
  }
  return sizes
}
