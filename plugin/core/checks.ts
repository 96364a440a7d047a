// What options are checked with: those of the plugins, of the cache and of the server.
import { inspect } from 'node:util'

export interface OptionError extends Error {
  code: 'ERR_PIXRACE_INVALID_OPTION'
  option: string
  expected: string
  received: unknown
}

/** An error of the same shape as the engine's. */
export function optionError(option: string, expected: string, received: unknown): OptionError {
  const shown = inspect(received, { breakLength: Number.POSITIVE_INFINITY, depth: 2, maxArrayLength: 8 })
  const error = new Error(`Invalid option \`${option}\`: expected ${expected}, received ${shown}.`)
  return Object.assign(error, { code: 'ERR_PIXRACE_INVALID_OPTION' as const, option, expected, received })
}

export type Test = (value: unknown) => boolean
/** What a value has to be: for people, and as a test. */
export type Rule = [expected: string, holds: Test]

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isBoolean = (value: unknown) => typeof value === 'boolean'
export const isWithin = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most
/** Not empty, and nothing in it twice. */
export const isListOf = (holds: Test) => (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(holds) && new Set(value).size === value.length

export const boolean: Rule = ['a boolean', isBoolean]
export const atLeast = (least: number): Rule => [
  `an integer of at least ${least}`,
  isWithin(least, Number.MAX_SAFE_INTEGER),
]

/**
 * Throws `ERR_PIXRACE_INVALID_OPTION` for a value that breaks its rule, and for a key that has none and is not among `others`.
 * `prefix` stands before the names of options.
 */
export function check(values: object, rules: Record<string, Rule>, prefix = '', others: readonly string[] = []): void {
  for (const [key, value] of Object.entries(values)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
    if (!rule && !others.includes(key)) {
      throw optionError(`${prefix}${key}`, `one of ${[...Object.keys(rules), ...others].join(', ')}`, value)
    }
    if (rule && value !== undefined && !rule[1](value)) throw optionError(`${prefix}${key}`, rule[0], value)
  }
}

/** Those of `keys` that are given. */
export const pick = <T extends object, K extends keyof T>(options: T, keys: readonly K[]): Pick<T, K> =>
  Object.fromEntries(keys.filter(key => options[key] !== undefined).map(key => [key, options[key]])) as Pick<T, K>
