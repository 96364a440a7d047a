const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/**
 * By how much resident memory grew, in the unit of `samples`: from the first to the last third of those behind the first
 * `warmUp`. By the least of each third and by its median, whichever says less: the allocator fills free lists and gives pages
 * back when it likes, so either has its outliers; a leak shows in both.
 */
export function growth(samples, warmUp) {
  const steady = samples.slice(warmUp)
  const third = Math.floor(steady.length / 3)
  const [first, last] = [steady.slice(0, third), steady.slice(-third)]
  return Math.min(Math.min(...last) - Math.min(...first), median(last) - median(first))
}
