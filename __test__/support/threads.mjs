// Watches the threads of another process through /proc (Linux): how much CPU time each took and how many are on a core,
// or waiting for one, at the same moment. Node's own threads are told apart by being there before the addon is loaded.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export const canWatch = process.platform === 'linux'

const SAMPLE_MS = 5

/** State and CPU ticks out of a stat file (proc_pid_stat(5)); the name in it may hold spaces and parentheses. */
function parseStat(text) {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    state: fields[0],
    ticks: +fields[11] + +fields[12],
  }
}

/** Thread id → name, state and CPU ticks, without the threads in `except`. */
function snapshot(pid, except) {
  const threads = new Map()
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    if (except.includes(id)) continue
    try {
      threads.set(id, parseStat(readFileSync(`/proc/${pid}/task/${id}/stat`, 'latin1')))
    } catch {
      // It has ended meanwhile.
    }
  }
  return threads
}

/** The ids of the calling process's threads. */
export const threadIds = () => readdirSync('/proc/self/task')

const processTicks = pid => parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).ticks

/**
 * Watches process `pid` until `work` settles, its threads `own` left out. Gives the others that were busy, those with
 * more than 2 ticks of CPU time and more than 3 % of all of it; the share of CPU time that is in no living thread, for a
 * codec that starts threads and ends them; and the share of samples with more than `most` threads running at once.
 */
export async function watch(pid, own, most, work) {
  const [before, processBefore] = [snapshot(pid, []), processTicks(pid)]
  let settled = false
  const done = work.finally(() => {
    settled = true
  })
  const running = []
  while (!settled) {
    const states = [...snapshot(pid, own).values()]
    running.push(states.filter(thread => thread.state === 'R').length)
    await sleep(SAMPLE_MS)
  }
  await done
  const after = snapshot(pid, [])
  const total = processTicks(pid) - processBefore
  const spent = [...after].map(([id, { name, ticks }]) => ({ id, name, ticks: ticks - (before.get(id)?.ticks ?? 0) }))
  const living = spent.reduce((sum, thread) => sum + thread.ticks, 0)
  const busy = spent.filter(({ id, ticks }) => !own.includes(id) && ticks > 2 && ticks > 0.03 * total)
  const above = running.filter(count => count > most).length
  return { busy, lost: (total - living) / total, total, samples: running.length, above: above / running.length }
}
