// What is shown while images are worked on: one line rewritten in place, or now and then a line where nothing can be
// rewritten.
import { count, type Environment, printable, type Screen, screenWidth, shorten, textWidth } from './terminal.js'

/** A stream of Node, as far as it is needed here. */
export interface ProgressStream extends Screen {
  write(text: string, done?: () => void): unknown
  on?(event: 'error', listener: (error: unknown) => void): unknown
  off?(event: 'error', listener: (error: unknown) => void): unknown
  destroyed?: boolean
  writable?: boolean
}

/** Time, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since anything. */
  now(): number
  /** Calls `task` once, in `ms`; what it returns calls it off. It must not keep the process alive. */
  after(ms: number, task: () => void): () => void
}

export interface Progress {
  /** Begins, or continues with another `total` where it has begun. */
  start(total: number): void
  /** `done` of `total`, and the one that is being worked on or was done last. */
  update(done: number, total: number, current?: string): void
  /** Takes the live line away until the next one: before others write to the terminal. */
  clear(): void
  /** Takes the live line away for good; `start` begins anew. */
  stop(): void
}

// Faster than this is a flicker to the eye and work to the terminal.
const LIVE_INTERVAL_MS = 100
// Often enough to show that a long build is alive, and rare enough that a log stays readable; a short one says nothing.
const LOG_INTERVAL_MS = 10_000
const ERASE = '\r\x1b[2K'

const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  },
}

const isLive = ({ isTTY }: Screen, { CI: ci, TERM: term }: Environment) =>
  Boolean(isTTY) && (!ci || ci === 'false' || ci === '0') && term !== 'dumb'

/** Without a stream nothing is shown. */
export function createProgress(
  stream: ProgressStream | null,
  env: Environment = process.env,
  clock: Clock = systemClock,
): Progress {
  return stream ? new Line(stream, isLive(stream, env), clock) : { start() {}, update() {}, clear() {}, stop() {} }
}

class Line implements Progress {
  private readonly interval: number
  private running = false
  private broken = false
  private visible = false
  private listening = false
  /** Writes that are not known to have succeeded or failed. */
  private pending = 0
  private last = 0
  private cancel: (() => void) | null = null
  private done = 0
  private total = 0
  private current = ''

  constructor(
    private readonly stream: ProgressStream,
    private readonly live: boolean,
    private readonly clock: Clock,
  ) {
    this.interval = live ? LIVE_INTERVAL_MS : LOG_INTERVAL_MS
  }

  start(total: number): void {
    if (!this.running) {
      this.running = true
      this.done = 0
      this.total = 0
      this.current = ''
      // The first line as well waits an interval: what is done by then needs no progress.
      this.last = this.clock.now()
      this.listen()
    }
    this.update(this.done, total, this.current)
  }

  update(done: number, total: number, current = ''): void {
    if (!this.running || (done === this.done && total === this.total && current === this.current)) return
    this.done = done
    this.total = total
    this.current = current
    if (this.cancel) return
    const wait = this.last + this.interval - this.clock.now()
    if (wait <= 0) this.show()
    else this.cancel = this.clock.after(wait, this.show)
  }

  clear(): void {
    if (this.visible) this.write(ERASE)
    this.visible = false
  }

  stop(): void {
    if (!this.running) return
    this.cancel?.()
    this.cancel = null
    this.clear()
    this.running = false
    this.leave()
  }

  private readonly show = () => {
    this.cancel = null
    this.last = this.clock.now()
    if (!this.live) {
      this.write(`pixrace: ${this.done} of ${count(this.total, 'image')}\n`)
      return
    }
    this.write(ERASE + this.text())
    this.visible = true
  }

  private text(): string {
    // A line that fills the last column as well may be wrapped, and then `ERASE` misses half of it.
    const width = screenWidth(this.stream) - 1
    const counts = `pixrace ${this.done}/${count(this.total, 'image')}`
    const room = width - textWidth(`${counts} · `)
    if (this.current === '' || room < 1) return shorten(counts, width)
    return `${counts} · ${shorten(printable(this.current), room)}`
  }

  private write(text: string): void {
    const { destroyed, writable } = this.stream
    if (this.broken || destroyed || writable === false) return
    this.pending++
    try {
      // A write that fails says so to its callback first and to the listeners a tick later.
      this.stream.write(text, () => setImmediate(this.written))
    } catch {
      this.broken = true
      this.pending--
    }
  }

  private readonly written = () => {
    this.pending--
    this.leave()
  }

  // Nobody reads any more; that is no reason to end a build.
  private readonly onError = () => {
    this.broken = true
  }

  private listen(): void {
    if (!this.listening) this.stream.on?.('error', this.onError)
    this.listening = true
  }

  // The stream belongs to others: their errors are not swallowed any longer than needed.
  private leave(): void {
    if (!this.listening || this.running || this.pending > 0) return
    this.stream.off?.('error', this.onError)
    this.listening = false
  }
}
