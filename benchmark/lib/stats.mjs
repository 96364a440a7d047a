// Times and what is made of them. A figure is the median of its rounds; the two sides of a ratio are timed in turns, so
// that whatever else the machine does meets both.

/** The value below which `share` (0 to 1) of the values lie. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return below + (above - below) * (at - Math.floor(at))
}

export const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length

export const median = values => percentile(values, 0.5)

/** Runs `work`; milliseconds that it took. */
export async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Runs both in turns, A B A B …; the milliseconds of each. */
export async function inTurns(rounds, a, b) {
  const times = { a: [], b: [] }
  for (let round = 0; round < rounds; round++) {
    times.a.push(await timed(a))
    times.b.push(await timed(b))
  }
  return times
}

/** Quotients of what was measured side by side. */
export const ratios = ({ a, b }) => a.map((value, i) => value / b[i])

/** A figure from its value in each round: the median and how far the rounds lie apart. */
export function figure(label, values, more = {}) {
  return { label, value: median(values), low: Math.min(...values), high: Math.max(...values), ...more }
}

/** The same with a bar: at most `limit` passes, after rounding to what is shown. */
export function judged(label, values, limit, more = {}) {
  const found = figure(label, values, more)
  const round = value => Math.round(value * 100) / 100
  return { ...found, limit: round(limit), passed: round(found.value) <= round(limit) }
}

export const milliseconds = ms => (ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`)

/** "2.4 s against 4.3 s": the medians behind a ratio. */
export const against = ({ a, b }) => `${milliseconds(median(a))} against ${milliseconds(median(b))}`
