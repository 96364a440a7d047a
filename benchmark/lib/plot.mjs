// Plots as SVG, dark on light: axes with ticks, lines with markers, labelled points, a legend.

const [WIDTH, HEIGHT] = [860, 520]
const FRAME = { left: 78, right: 24, top: 58, bottom: 62 }
const LEGEND_WIDTH = 206
/** Beside a plot without a legend, for the labels of points at its right edge. */
const LABEL_WIDTH = 90
const [INK, GRID, PAPER] = ['#1c2430', '#d9dee5', '#ffffff']
const FONT = 13
/** Width of a character of the plain sans serif, in font sizes: generous, so that no text is clipped. */
const CHARACTER = 0.58

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = text => String(text).replace(/[&<>"]/g, character => ESCAPES[character])
const short = number => String(Math.round(number * 10) / 10)

function element(name, attributes, content = '') {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`)
  return `<${name}${list.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`
}

function text(content, x, y, more = {}) {
  return element('text', { x: short(x), y: short(y), ...more }, escaped(content))
}

/** 1, 2, 5, 10, 20 … within the limits, and more of them where these would be few. */
function logTicks([low, high]) {
  const digits = high / low > 30 ? [1, 2, 5] : [1, 2, 3, 4, 6, 8]
  const ticks = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of digits) ticks.push(Number((digit * 10 ** power).toPrecision(1)))
  }
  return ticks.filter(tick => tick >= low && tick <= high)
}

/** About six round numbers within the limits. */
function linearTicks([low, high]) {
  const rough = (high - low) / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough)
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1
  return Array.from({ length: count }, (_, i) => Number(((Math.ceil(low / step) + i) * step).toPrecision(6)))
}

/** Limits around the values with a margin, on a linear or a logarithmic scale, and the way from value to position. */
function scaleOf({ log }, values, [from, to]) {
  const [into, out] = log ? [Math.log, Math.exp] : [value => value, value => value]
  const [low, high] = [into(Math.min(...values)), into(Math.max(...values))]
  const margin = (high - low || 1) * 0.08
  const [start, end] = [low - margin, high + margin]
  const limits = [out(start), out(end)]
  return {
    at: value => from + ((into(value) - start) / (end - start)) * (to - from),
    ticks: log ? logTicks(limits) : linearTicks(limits),
  }
}

function marker(shape, x, y, color) {
  const [cx, cy] = [short(x), short(y)]
  if (shape === 'square') return element('path', { d: `M${cx} ${cy}m-4.5 -4.5h9v9h-9z`, fill: color })
  if (shape === 'triangle') return element('path', { d: `M${cx} ${cy}m0 -6l5.5 9.5h-11z`, fill: color })
  return element('circle', { cx, cy, r: 5, fill: color })
}

function axes(area, x, y) {
  const bottom = area.bottom
  const parts = []
  for (const tick of x.ticks) {
    const at = short(x.at(tick))
    parts.push(element('path', { d: `M${at} ${area.top}V${bottom}`, stroke: GRID }))
    parts.push(text(x.show(tick), at, bottom + 20, { 'text-anchor': 'middle' }))
  }
  for (const tick of y.ticks) {
    const at = y.at(tick)
    parts.push(element('path', { d: `M${area.left} ${short(at)}H${area.right}`, stroke: GRID }))
    parts.push(text(y.show(tick), area.left - 8, at + 4.5, { 'text-anchor': 'end' }))
  }
  const [middle, center] = [(area.left + area.right) / 2, (area.top + bottom) / 2]
  parts.push(element('path', { d: `M${area.left} ${area.top}V${bottom}H${area.right}`, stroke: INK, fill: 'none' }))
  parts.push(text(x.label, middle, bottom + 46, { 'text-anchor': 'middle' }))
  const turned = `rotate(-90 22 ${short(center)})`
  parts.push(text(y.label, 22, center, { 'text-anchor': 'middle', transform: turned }))
  return parts
}

function line({ points, color, dash, shape }, x, y) {
  const places = points.map(point => [x.at(point.x), y.at(point.y)])
  const d = places.map(([left, top], i) => `${i === 0 ? 'M' : 'L'}${short(left)} ${short(top)}`).join('')
  const stroke = { d, stroke: color, fill: 'none', 'stroke-width': 2 }
  const path = points.length > 1 ? [element('path', dash ? { ...stroke, 'stroke-dasharray': dash } : stroke)] : []
  return [...path, ...places.map(([left, top]) => marker(shape, left, top, color))]
}

function legend(series, left, top) {
  return series.flatMap(({ name, color, dash, shape }, i) => {
    const y = top + 10 + i * 24
    const stroke = { d: `M${left} ${y}h34`, stroke: color, 'stroke-width': 2 }
    const sample = element('path', dash ? { ...stroke, 'stroke-dasharray': dash } : stroke)
    return [sample, marker(shape, left + 17, y, color), text(name, left + 44, y + 4.5)]
  })
}

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

/** Where a label can go: right of its point, left, above, below, or towards a corner. */
function places(x, y, width) {
  const box = (anchor, at, middle) => {
    const left = { start: at, middle: at - width / 2, end: at - width }[anchor]
    return { anchor, at, middle, left, right: left + width, top: middle - 9, bottom: middle + 9 }
  }
  return [
    box('start', x + 11, y),
    box('end', x - 11, y),
    box('middle', x, y - 18),
    box('middle', x, y + 18),
    box('start', x + 9, y - 19),
    box('start', x + 9, y + 19),
    box('end', x - 9, y - 19),
    box('end', x - 9, y + 19),
  ]
}

/** A label beside each point, at the first place that is free and inside the area. */
function labels(series, x, y, area, width) {
  const points = series.flatMap(({ points: list, color }) =>
    list.filter(point => point.label).map(point => ({ ...point, color, left: x.at(point.x), top: y.at(point.y) })),
  )
  const taken = points.map(({ left, top }) => ({ left: left - 7, right: left + 7, top: top - 7, bottom: top + 7 }))
  return points.map(({ label, left, top, color }) => {
    const options = places(left, top, label.length * FONT * CHARACTER)
    const inside = box => box.left > area.left && box.right < width && box.top > area.top && box.bottom < area.bottom
    const free = options.find(box => inside(box) && !taken.some(other => overlap(box, other))) ?? options[0]
    taken.push(free)
    // With a rim of paper, so that no line runs through the letters.
    const rim = { stroke: PAPER, 'stroke-width': 4, 'paint-order': 'stroke' }
    return text(label, free.at, free.middle + 4.5, { 'text-anchor': free.anchor, fill: color, ...rim })
  })
}

/**
 * One plot. `x` and `y` are `{ label, log, show }`; `series` are `{ name, color, shape, dash, points }` with points
 * `{ x, y, label }`. Points with labels need no legend.
 */
export function plot({ title, subtitle, x, y, series, withLegend = false }) {
  const width = WIDTH + (withLegend ? 0 : LABEL_WIDTH)
  const area = {
    left: FRAME.left,
    right: WIDTH - FRAME.right - (withLegend ? LEGEND_WIDTH : 0),
    top: FRAME.top,
    bottom: HEIGHT - FRAME.bottom,
  }
  const points = series.flatMap(({ points: list }) => list)
  const values = axis => points.map(point => point[axis])
  const across = { ...x, ...scaleOf(x, values('x'), [area.left, area.right]) }
  const up = { ...y, ...scaleOf(y, values('y'), [area.bottom, area.top]) }
  const parts = [
    element('rect', { width, height: HEIGHT, fill: PAPER }),
    text(title, area.left, 26, { 'font-size': 17, 'font-weight': 'bold' }),
    text(subtitle, area.left, 45),
    ...axes(area, across, up),
    ...series.flatMap(one => line(one, across, up)),
    ...labels(series, across, up, area, width),
    ...(withLegend ? legend(series, area.right + 18, area.top) : []),
  ]
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${HEIGHT}`,
    'font-family': 'Helvetica, Arial, sans-serif',
    'font-size': FONT,
    fill: INK,
    role: 'img',
    'aria-label': title,
  }
  return `${element('svg', attributes, `\n${parts.join('\n')}\n`)}\n`
}
