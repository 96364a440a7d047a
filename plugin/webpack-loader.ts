// The loader that the plugins for webpack and Rspack add to the rules. It is of no use without them.
import type { LoaderContext } from './webpack-session.js'

export default function pixraceLoader(this: LoaderContext, content: Buffer): void {
  const done = this.async()
  const { session } = this.getOptions()
  session.load(this, content).then(result => done(null, result), done)
}

/** Images are bytes. */
export const raw = true
