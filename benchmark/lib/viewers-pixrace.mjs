// pixrace in a process of its own, one file after the other, so that a crash or a hang is seen and has a name.
import { fork } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Many times what the largest file takes. */
const HANGS_MS = 300_000
const CHILD = new URL('viewers-child.mjs', import.meta.url)

export class Pixrace {
  #folder = fs.mkdtempSync(path.join(tmpdir(), 'pixrace-viewers-'))
  #output = fs.openSync(path.join(this.#folder, 'output'), 'a+')
  #written = 0
  #child
  #last = Promise.resolve()

  /**
   * `{ info, pixels, result, errors, end, output }`: what `inspect` says; every pixel as a lossless file and the smallest
   * file of a default call, each `{ data, format, width, height }`; `[{ call, code, message }]`; how the process ended, if it did;
   * what it wrote.
   */
  show(file) {
    this.#last = this.#last.then(() => this.#ask(file))
    return this.#last
  }

  async close() {
    await this.#last
    this.#child?.kill()
    fs.closeSync(this.#output)
    fs.rmSync(this.#folder, { recursive: true })
  }

  async #ask(file) {
    this.#child ??= fork(CHILD, [this.#folder], { stdio: ['ignore', this.#output, this.#output, 'ipc'] })
    const child = this.#child
    const answer = await new Promise(resolve => {
      const hang = setTimeout(() => {
        child.kill('SIGKILL')
        resolve({ errors: [], end: `no answer in ${HANGS_MS / 1000} s` })
      }, HANGS_MS)
      const settle = found => {
        clearTimeout(hang)
        child.removeAllListeners()
        resolve(found)
      }
      child.once('message', settle)
      child.once('exit', (code, signal) => settle({ errors: [], end: `the process ended with ${signal ?? code}` }))
      child.send(file)
    })
    if (answer.end) this.#child = undefined
    for (const shown of [answer.pixels, answer.result]) if (shown) shown.data = fs.readFileSync(shown.file)
    return { ...answer, output: this.#newOutput() }
  }

  #newOutput() {
    const { size } = fs.fstatSync(this.#output)
    const text = Buffer.alloc(size - this.#written)
    fs.readSync(this.#output, text, 0, text.length, this.#written)
    this.#written = size
    return text.toString().trim()
  }
}
