// Values for the cache of the build layer, told by a number: the same everywhere.
import { createHash } from 'node:crypto'
import { cacheKey } from '../../esm/cache/index.js'

/** Bytes that look random. */
const noise = (seed, length) => createHash('shake256', { outputLength: length }).update(seed).digest()

const candidate = (format, bytes, outcome) => {
  return { format, bytes, quality: 71, score: 70.25, encodes: 4, elapsedMs: 12.5, outcome }
}

/** An answer with one image for each of the sizes in bytes. */
export function encoded(seed, sizes = [900, 0, 2100]) {
  const images = sizes.map((size, index) => ({
    format: ['avif', 'webp', 'gif'][index % 3],
    width: 640 + index,
    height: 480,
    quality: index === 0 ? 71 : null,
    score: index === 0 ? 70.25 : null,
    isOriginal: index === 2,
    passed: index !== 2,
    candidates: [candidate('avif', size, 'won'), candidate('png', null, 'abandoned')],
    data: noise(`${seed} ${index}`, size),
  }))
  const input = { format: 'jpeg', width: 1280, height: 960, bytes: 54_321, hasAlpha: false, bitDepth: 8 }
  return {
    images,
    placeholder: `data:image/webp;base64,${noise(`${seed}`, 60).toString('base64')}`,
    input: { ...input, orientation: 6, pages: 1, colorSpace: 'rgb' },
    warnings: [
      { code: 'format-skipped', format: 'jpeg', message: `Über ${seed} "äöü" \u{1f5bc}` },
      { code: 'infeasible', message: 'A sentence.' },
    ],
  }
}

export const keyOf = seed => cacheKey(Buffer.from(`input ${seed}`), { formats: ['avif'] }, 'test')
