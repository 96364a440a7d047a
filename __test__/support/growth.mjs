/**
 * By how much resident memory grew, in the unit of `samples`: from the first to the last third of those behind the first
 * `warmUp`, by the least of each, because the allocator fills free lists and gives pages back when it likes.
 */
export function growth(samples, warmUp) {
  const steady = samples.slice(warmUp)
  const third = Math.floor(steady.length / 3)
  return Math.min(...steady.slice(-third)) - Math.min(...steady.slice(0, third))
}
