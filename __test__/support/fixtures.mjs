// The pictures in fixtures/, by name.
import { readFileSync } from 'node:fs'

/** The bytes of `fixtures/<name>`, freshly read: a test may write into them. */
export const fixture = name => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url))
