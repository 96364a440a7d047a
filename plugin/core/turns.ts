// Much work a bit at a time: the event loop goes on beside it, and not everything is begun at once.
import { setImmediate } from 'node:timers/promises'

/** Longest that a loop keeps the event loop to itself, in milliseconds. What it does last comes on top, so it is far below 50. */
const TURN_MS = 10

/** For long loops: `await turns.next()` between their steps lets others run where it is time. */
export class Turns {
  private began = performance.now()

  async next(): Promise<void> {
    if (performance.now() - this.began < TURN_MS) return
    await setImmediate()
    this.began = performance.now()
  }
}

/** Runs `task` for each item, for `atOnce` of them at a time. */
export async function eachOf<T>(
  items: Iterable<T>,
  atOnce: number,
  task: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const turns = new Turns()
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      await turns.next()
      await task(next.value)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
