// The plugin for webpack 5.
import type { Compiler as WebpackCompiler } from 'webpack'
import type { PixraceOptions } from './core/options.js'
import { type Compiler, PixracePlugin as Family } from './webpack-family.js'

export type { PixraceOptions } from './core/options.js'

/** Throws `ERR_PIXRACE_INVALID_OPTION`. */
export class PixracePlugin {
  private readonly plugin: Family

  constructor(options?: PixraceOptions) {
    this.plugin = new Family(options)
  }

  apply(compiler: WebpackCompiler): void {
    this.plugin.apply(compiler as unknown as Compiler)
  }
}

export default PixracePlugin
