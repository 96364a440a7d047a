// One build in a process of its own. Takes what `build` takes as JSON and sends back what of its answer is no file.
import { build } from './build.mjs'
import { encodes } from './engine-spy.mjs'

const [bundler, root, options, extra] = JSON.parse(process.argv[2])
const { digests, text, warnings, error } = await build(bundler, root, options, extra)
process.send({ digests, text, warnings, error: error?.message ?? null, encodes }, () => process.exit(error ? 1 : 0))
