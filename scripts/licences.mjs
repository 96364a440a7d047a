// Which licences the addon's dependencies may have, and the reading of SPDX licence expressions.

// Where a crate offers a choice, the earliest of these is taken: short texts first, so that the file stays readable.
export const ALLOWED = [
  ...['MIT', 'BSD-2-Clause', 'BSD-3-Clause', 'BSD-3-Clause-Clear', 'ISC', 'Zlib', 'BSL-1.0', 'NCSA', 'IJG'],
  ...['Unicode-3.0', 'Apache-2.0', 'MIT-0', '0BSD', 'CC0-1.0', 'Unlicense'],
]
const ALLOWED_EXCEPTIONS = ['LLVM-exception']

/**
 * The licences to comply with, one set that satisfies an SPDX expression ("/" is the old way to write OR), or null if no
 * choice consists of allowed licences only. Throws on what is no expression.
 */
export function chooseLicences(expression) {
  const tokens = expression.match(/[()/]|[^\s()/]+/g) ?? []
  let next = 0
  const fail = () => {
    throw new SyntaxError(`"${expression}" is no licence expression.`)
  }
  const term = () => {
    const token = tokens[next++]
    if (token === '(') {
      const inner = either()
      if (tokens[next++] !== ')') fail()
      return inner
    }
    if (!token || !/^[\w.+-]+$/.test(token) || ['AND', 'OR', 'WITH'].includes(token)) fail()
    const exception = tokens[next] === 'WITH' ? tokens[next + 1] : null
    if (exception !== null) next += 2
    if (exception === undefined) fail()
    const allowed = ALLOWED.includes(token) && (exception === null || ALLOWED_EXCEPTIONS.includes(exception))
    return allowed ? [token] : null
  }
  const all = () => {
    let chosen = term()
    while (tokens[next] === 'AND') {
      next++
      const more = term()
      chosen = chosen && more && [...new Set([...chosen, ...more])]
    }
    return chosen
  }
  const rank = chosen => Math.max(...chosen.map(id => ALLOWED.indexOf(id)))
  const either = () => {
    const choices = [all()]
    while (tokens[next] === 'OR' || tokens[next] === '/') {
      next++
      choices.push(all())
    }
    return choices.filter(Boolean).sort((a, b) => rank(a) - rank(b))[0] ?? null
  }
  const chosen = either()
  if (next !== tokens.length) fail()
  return chosen
}

/** Whether an SPDX licence expression can be satisfied by allowed licences alone. What is no expression is not allowed. */
export function isAllowed(expression) {
  try {
    return chooseLicences(expression) !== null
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
