// The plugin for Rspack 2.
import type { Compiler as RspackCompiler } from '@rspack/core'
import type { PixraceOptions } from './core/options.js'
import { type Compiler, PixracePlugin as Family } from './webpack-family.js'

export type { PixraceOptions } from './core/options.js'

/** Throws `ERR_PIXRACE_INVALID_OPTION`. */
export class PixracePlugin {
  private readonly plugin: Family

  constructor(options?: PixraceOptions) {
    this.plugin = new Family(options, { inlinesByResource: true })
  }

  apply(compiler: RspackCompiler): void {
    this.plugin.apply(compiler as unknown as Compiler)
  }
}

export default PixracePlugin
