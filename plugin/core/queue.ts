// Work that waits its turn, bounded: what is too much is said at once.

/** Why work is not even begun to wait. */
export class QueueFullError extends Error {
  constructor() {
    super('Too many images are being made.')
    this.name = 'QueueFullError'
  }
}

export class WorkQueue {
  private readonly waiting: (() => void)[] = []
  private readonly behind: (() => void)[] = []
  private active = 0

  /** `concurrency` run at once and `maxQueue` wait at most. */
  constructor(
    private readonly concurrency: number,
    private readonly maxQueue: number,
  ) {}

  get running(): number {
    return this.active
  }

  get length(): number {
    return this.waiting.length
  }

  /** Runs `task` in its turn. Rejects if too many wait (`QueueFullError`), and if `signal` aborts before, with its reason. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    if (this.active < this.concurrency) this.active++
    else await this.wait(signal)
    return this.finish(task)
  }

  /** Runs `task` in its turn and passes the turn on. */
  private async finish<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } finally {
      const next = this.waiting.shift() ?? this.behind.shift()
      if (next) next()
      else this.active--
    }
  }

  /** Runs `task` when a turn is free that nothing else waits for. Not bounded: the caller waits for one before the next. */
  async runBehind<T>(task: () => Promise<T>): Promise<T> {
    if (this.active >= this.concurrency) await new Promise<void>(resolve => this.behind.push(resolve))
    else this.active++
    return this.finish(task)
  }

  private wait(signal?: AbortSignal): Promise<void> {
    if (this.waiting.length >= this.maxQueue) throw new QueueFullError()
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        const at = this.waiting.indexOf(turn)
        if (at < 0) return
        this.waiting.splice(at, 1)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.waiting.push(turn)
    })
  }
}
