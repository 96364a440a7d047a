// Counters in the text format that Prometheus reads (version 0.0.4).
import type { RequestEvent } from './options.js'

/** Upper bounds in seconds: from an image in memory to a large AVIF. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30]

const LABELS = ['status', 'source', 'format']

/** `{status="200",…}`, of the values in one string. */
const label = (key: string) => {
  const values = key.split(' ')
  return `{${LABELS.map((name, index) => `${name}="${values[index]?.replace(/["\\\n]/g, '_')}"`).join(',')}}`
}

export class Metrics {
  /** By status, source and format, none of which has a space in it. */
  private readonly requests = new Map<string, number>()
  /** Each without those below it. */
  private readonly buckets = BUCKETS.map(() => 0)
  private seconds = 0
  private answers = 0
  private bytes = 0

  count({ status, source, format, bytes, durationMs }: RequestEvent): void {
    const key = `${status} ${source} ${format ?? 'none'}`
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1)
    const seconds = durationMs / 1000
    const bucket = BUCKETS.findIndex(bound => seconds <= bound)
    if (bucket >= 0) this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
    this.seconds += seconds
    this.answers++
    this.bytes += bytes
  }

  text(gauges: Record<string, [help: string, value: number]>): string {
    const lines = ['# HELP pixrace_requests_total Answers.', '# TYPE pixrace_requests_total counter']
    for (const [key, count] of [...this.requests].sort()) {
      lines.push(`pixrace_requests_total${label(key)} ${count}`)
    }
    lines.push('# HELP pixrace_response_bytes_total Bytes of bodies.', '# TYPE pixrace_response_bytes_total counter')
    lines.push(`pixrace_response_bytes_total ${this.bytes}`)
    lines.push('# HELP pixrace_request_duration_seconds Time to the answer.')
    lines.push('# TYPE pixrace_request_duration_seconds histogram')
    let sum = 0
    BUCKETS.forEach((bound, index) => {
      sum += this.buckets[index] ?? 0
      lines.push(`pixrace_request_duration_seconds_bucket{le="${bound}"} ${sum}`)
    })
    lines.push(`pixrace_request_duration_seconds_bucket{le="+Inf"} ${this.answers}`)
    lines.push(`pixrace_request_duration_seconds_sum ${this.seconds}`)
    lines.push(`pixrace_request_duration_seconds_count ${this.answers}`)
    for (const [name, [help, value]] of Object.entries(gauges)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`)
    }
    return `${lines.join('\n')}\n`
  }
}
