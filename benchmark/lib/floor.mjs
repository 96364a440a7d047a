// The smallest file of an encoder that still reaches a score, found on the encoder's own quality scale.

/** The score that a pixrace call without options keeps to. */
export const DEFAULT_FLOOR = 70

const [LOWEST, HIGHEST] = [1, 100]

// Points of SSIMULACRA2 that one step of quality is worth near 70: where the first step from a guess leads. Too small or
// too large only costs a probe.
const POINTS_PER_STEP = 0.6

/** Where to look next between a quality that fails and one that passes; either may be beyond the scale. */
function between(probes, failed, passed, floor, halve) {
  const [low, high] = [probes.get(failed), probes.get(passed)]
  let next = Math.floor((failed + passed) / 2)
  if (!low) next = passed - Math.ceil((high.score - floor) / POINTS_PER_STEP)
  else if (!high) next = failed + Math.ceil((floor - low.score) / POINTS_PER_STEP)
  else if (!halve) next = failed + Math.round(((floor - low.score) * (passed - failed)) / (high.score - low.score))
  return Math.min(Math.max(next, failed + 1), passed - 1)
}

/**
 * Probes qualities from `guess` on until two neighbours lie on either side of `floor`. A score may fall while the
 * quality rises, so the quality below those two is probed as well, and the smallest of all files that pass is the answer.
 * `probe` maps a quality to `{ bytes, score }`. `quality` is null if none passed; then `score` is the best one seen.
 */
export async function smallestPassing(probe, floor, guess) {
  const probes = new Map()
  const at = async quality => {
    if (!probes.has(quality)) probes.set(quality, await probe(quality))
    return probes.get(quality)
  }
  let [failed, passed, quality] = [LOWEST - 1, HIGHEST + 1, guess]
  for (let turn = 1; passed - failed > 1; turn++) {
    const { score } = await at(quality)
    if (score >= floor) passed = quality
    else failed = quality
    if (passed - failed > 1) quality = between(probes, failed, passed, floor, turn % 2 === 0)
  }
  if (passed <= HIGHEST && failed > LOWEST) await at(failed - 1)
  const seen = [...probes].map(([tried, found]) => ({ quality: tried, ...found }))
  const passing = seen.filter(({ score }) => score >= floor)
  if (passing.length === 0) return { quality: null, bytes: null, score: Math.max(...seen.map(({ score }) => score)) }
  return passing.reduce((best, one) => (one.bytes < best.bytes ? one : best))
}

/**
 * Bytes at just `wanted`, between the smallest of `files` that reaches it and the best-looking one that does not: on a
 * straight line of the score over the logarithm of the size. Those of the former where there is no other.
 */
export function bytesAtScore(files, wanted) {
  const passing = files.filter(({ score }) => score >= wanted).sort((a, b) => a.bytes - b.bytes)[0]
  const failing = files.filter(({ score }) => score < wanted).sort((a, b) => b.score - a.score)[0]
  if (!passing || !failing || failing.bytes >= passing.bytes) return passing?.bytes ?? null
  const share = (wanted - failing.score) / (passing.score - failing.score)
  return failing.bytes * (passing.bytes / failing.bytes) ** share
}
