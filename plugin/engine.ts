// The engine, by its place: the compiled files stand as deep below the package's root as this one.

export type { Candidate, Format, ImageInfo, LayoutSize, OptimizeOptions, OptimizeResult, Warning } from '../index.js'
export { inspect, optimize, optimizeMany, optimizeSync, versions } from '../index.js'
