// Run by viewers-pixrace.mjs: `<folder for results>`. Answers the path of a picture with what pixrace makes of it.
import fs from 'node:fs'
import path from 'node:path'
import pixrace from '../../index.js'

const [folder] = process.argv.slice(2)

const still = { formats: ['png'], quality: 100, keepOriginal: false, effort: 'fast' }
/** Of pictures of more pixels than this the default call does not verify, which takes a fraction of the time. */
const LARGE_PIXELS = 1_000_000
const animation = { formats: ['webp'], lossless: true, keepOriginal: false, effort: 'fast' }

async function show(file) {
  const data = fs.readFileSync(file)
  const errors = []
  const attempt = (call, promise) =>
    promise.catch(({ code, message }) => {
      // Nothing but the original can be handed out, which is what the default call then does.
      if (call !== 'pixels' || code !== 'ERR_PIXRACE_NO_CANDIDATE') errors.push({ call, code: String(code), message })
    })
  const keep = (name, result) => {
    if (!result) return undefined
    const to = path.join(folder, name)
    fs.writeFileSync(to, result.data)
    const { format, width, height, isOriginal, passed } = result
    return { file: to, format, width, height, isOriginal, passed }
  }
  const info = await attempt('inspect', pixrace.inspect(data))
  const every = await attempt('pixels', pixrace.optimize(data, info?.pages > 1 ? animation : still))
  const verify = !(info?.width * info?.height > LARGE_PIXELS)
  const result = await attempt('optimize', pixrace.optimize(data, { effort: 'fast', verify }))
  return { info, errors, pixels: keep('pixels', every), result: keep('result', result) }
}

process.on('message', async file => process.send(await show(file)))
