// A page for the eye: original and result side by side, as Chromium drew them. It stands alone, all pictures inside.
import fs from 'node:fs'
import path from 'node:path'
import { root } from './corpus.mjs'

const WIDTH = 1800
const HEIGHT = 1600

const STYLE = `
  body { font: 12px sans-serif; margin: 16px; background: #fff; color: #222 }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 8px }
  figure { margin: 0; padding: 6px; border: 1px solid #ccc; border-radius: 4px }
  figure.excepted { border-color: #d80; background: #fff6e8 }
  figure.failed { border-color: #d00; background: #fee }
  figure div { display: flex; gap: 6px; height: 164px; align-items: center }
  figure span { flex: 1; text-align: center }
  img { max-width: 160px; max-height: 160px; min-width: 96px; object-fit: contain; image-rendering: pixelated;
    background: repeating-conic-gradient(#ddd 0 25%, #fff 0 50%) 0 0 / 16px 16px }
  figcaption { overflow-wrap: anywhere }
`

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const plain = text => String(text).replace(/[&<>"]/g, character => ESCAPES[character])

function figure({ name, from, to, seen, verdict, note, original, result }) {
  const pictures = [original, result].map(picture => (picture ? `<img src="${picture}">` : 'no picture'))
  const score = seen === undefined ? 'no score' : seen.toFixed(1)
  const caption = `<b>${plain(name)}</b><br>${from} → ${to}, ${score}${note ? `<br>${plain(note)}` : ''}`
  const [left, right] = pictures
  return `<figure class="${verdict}"><div><span>${left}</span><span>${right}</span></div>
    <figcaption>${caption}</figcaption></figure>`
}

/** Writes `out/contact-sheet/index.html` and screenshots of it beside; the folder's path. */
export async function writeContactSheet(browser, rows) {
  const folder = path.join(root, 'out', 'contact-sheet')
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true })
  const failed = rows.filter(row => row.verdict === 'failed').length
  const excepted = rows.filter(row => row.verdict === 'excepted').length
  const title = `Original and result of quality 95 in Chromium ${browser.version}`
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style>
    <h1>${title}</h1><p>${rows.length} pictures, original on the left; ${excepted} excepted (orange), ${failed} failed (red).</p>
    <main>${rows.map(figure).join('\n')}</main></html>\n`
  fs.writeFileSync(path.join(folder, 'index.html'), html)
  const pieces = await browser.sheet(html, WIDTH, HEIGHT)
  for (const [i, piece] of pieces.entries()) fs.writeFileSync(path.join(folder, `page-${i + 1}.png`), piece)
  return folder
}
