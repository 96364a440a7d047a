// Whether a build may succeed.

import { mergeBySource, type Totals, totals } from './merge.js'
import type { Budget, FailOn } from './options.js'
import { exactly, printable, sentence, size } from './terminal.js'
import type { ImageRecord, OutputRecord } from './types.js'

export interface VerdictOptions {
  failOn: FailOn
  budget?: Budget
}

/** Each a line that names the file and the reason, in the order of the files, budgets last. */
export interface Verdict {
  /** What fails the build. */
  errors: string[]
  /** What is worth saying and does not fail it. */
  warnings: string[]
  fails: boolean
}

/**
 * What fails a build: an image that could not be read or encoded unless `failOn` is 'never', any warning if it is
 * 'warning', and always what goes beyond the budget.
 */
export function verdict(records: ImageRecord[], { failOn, budget = {} }: VerdictOptions): Verdict {
  const images = mergeBySource(records)
  const failures = images.flatMap(({ source, leftAlone }) =>
    leftAlone?.code === 'failed' ? [`${printable(source)}: ${sentence(leftAlone.message)}`] : [],
  )
  const remarks = images.flatMap(({ source, warnings }) =>
    warnings.map(({ message }) => `${printable(source)}: ${sentence(message)}`),
  )
  const errors = [
    ...new Set([
      ...(failOn === 'never' ? [] : failures),
      ...(failOn === 'warning' ? remarks : []),
      ...images.flatMap(image => oversized(image, budget.maxBytesPerImage)),
      ...tooLittle(totals(images), budget.minSaving),
    ]),
  ]
  const warnings = [...new Set([...(failOn === 'never' ? failures : []), ...(failOn === 'warning' ? [] : remarks)])]
  return { errors, warnings, fails: errors.length > 0 }
}

function oversized({ source, before, outputs, leftAlone }: ImageRecord, most = Number.POSITIVE_INFINITY): string[] {
  const line = (what: string, bytes: number) =>
    bytes > most
      ? [`${printable(source)}: ${what} has ${exactly(bytes)}, budget.maxBytesPerImage is ${exactly(most)}`]
      : []
  // What was left alone is in the build as it is.
  if (leftAlone && outputs.length === 0) return line('the original, left alone,', before)
  return outputs.flatMap(output => line(described(output), output.bytes))
}

const described = ({ fileName, format, width }: OutputRecord) =>
  fileName === null ? `the inlined ${format} of width ${width}` : printable(fileName)

function tooLittle({ images, before, after }: Totals, least = Number.NEGATIVE_INFINITY): string[] {
  if (images === 0 || before === 0) return []
  const share = (before - after) / before
  if (share >= least) return []
  // Rounded away from the bound, which a figure that fails must not seem to meet.
  const figure = Math.floor((1000 * (before - after)) / before) / 10
  const bound = Number((100 * least).toFixed(4))
  const change = share < 0 ? `grew by ${(-figure).toFixed(1)} %` : `saving is ${figure.toFixed(1)} %`
  return [`all images together: ${change} (${size(before)} → ${size(after)}), budget.minSaving is ${bound} %`]
}
