// What the figures were measured on. A ratio holds for a kind of machine, a time only for this one.
import os from 'node:os'
import pixrace from '../../index.js'

const GIB = 1024 ** 3

/** Threads that pixrace uses, which is what a bar has to count. */
export const threads = Number(process.env.PIXRACE_THREADS) || os.availableParallelism()

export function machine() {
  const { pixrace: version, codecs, simd } = pixrace.versions()
  const libraries = [...new Set(Object.values(codecs))].sort()
  return {
    cpu: os.cpus()[0]?.model.trim() || 'unknown CPU',
    cores: os.availableParallelism(),
    threads,
    memory: `${Math.round(os.totalmem() / GIB)} GiB`,
    system: `${os.platform()} ${os.arch()}`,
    node: process.version,
    pixrace: version,
    libraries,
    simd,
  }
}

/** The machine in lines for a reader. */
export function machineLines(found) {
  const cores = found.cores === 1 ? '1 core' : `${found.cores} cores`
  const own = found.threads === found.cores ? '' : `, ${found.threads} of them for pixrace (PIXRACE_THREADS)`
  return [
    `${found.cpu}, ${cores}${own}, ${found.memory}, ${found.system}, Node ${found.node.slice(1)}`,
    `pixrace ${found.pixrace}: ${found.libraries.join(', ')}; ${found.simd.join(', ') || 'no SIMD'}`,
  ]
}
