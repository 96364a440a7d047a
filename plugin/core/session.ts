// One build as its user sees it: what was done, what was wrong, and whether the build may succeed.
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { checkEngineOptions } from './jobs.js'
import { Optimizer } from './optimizer.js'
import { createFilter, type PixraceOptions, resolveOptions } from './options.js'
import { buildManifest, formatNotes, formatReport } from './report.js'
import { screenWidth, wantsColour } from './terminal.js'
import { verdict } from './verdict.js'

export class Session {
  readonly optimizer: Optimizer
  readonly filter
  private shown = 0
  private started = performance.now()

  /** Throws `ERR_PIXRACE_INVALID_OPTION`. `root` is the project's folder. */
  constructor(
    options: PixraceOptions | undefined,
    readonly root: string,
  ) {
    const resolved = resolveOptions(options)
    this.optimizer = new Optimizer(resolved, root)
    this.filter = createFilter(resolved)
  }

  get options() {
    return this.optimizer.options
  }

  /** Changes with whatever decides the bytes of images: names and caches of the bundlers have to follow it. */
  get salt(): string {
    const { engine, convert, fileName, include, exclude } = this.options
    const parts = [this.optimizer.fingerprint, engine, convert, fileName, include, exclude]
    const text = JSON.stringify(parts, (_, value) => (value instanceof RegExp ? `RegExp ${value}` : value))
    return createHash('sha256').update(text).digest('hex')
  }

  /** Begins a build; a watcher begins many. Rejects where the engine does not take the options. */
  async begin(): Promise<void> {
    checkEngineOptions(this.options.engine)
    this.optimizer.begin()
    this.shown = 0
    this.started = performance.now()
  }

  /** The text of the manifest, and its name; null where none is wanted. */
  manifest(): { fileName: string; text: string } | null {
    const fileName = this.options.manifest
    return fileName === null
      ? null
      : { fileName, text: `${JSON.stringify(buildManifest(this.optimizer.records), null, 2)}\n` }
  }

  /** Shows the report, once for what it says, and gives the error that the build is to fail with. */
  async end(): Promise<Error | null> {
    await this.optimizer.end()
    const { records, cache } = this.optimizer
    if (records.length === this.shown) return null
    this.shown = records.length
    // Table and verdict of many images take a while each: others have their turn between them.
    await setImmediate()
    this.print(cache ? [...cache.failures] : [])
    await setImmediate()
    const { errors, fails } = verdict(records, this.options)
    if (!fails) return null
    return Object.assign(new Error(`pixrace: ${errors.join('\n')}`), { code: 'ERR_PIXRACE_BUILD' })
  }

  /** Gives back what would keep the process alive, until another build begins. */
  async close(): Promise<void> {
    await this.optimizer.close()
  }

  private print(notes: string[]) {
    const { records } = this.optimizer
    const shape = { width: screenWidth(process.stdout), colour: wantsColour(process.stdout, process.env) }
    const wallMs = performance.now() - this.started
    const text = this.options.report ? formatReport(records, { ...shape, wallMs }) : formatNotes(records, shape)
    if (text) process.stdout.write(`\n${text}\n`)
    for (const note of notes) process.stderr.write(`pixrace: ${note}\n`)
  }
}
