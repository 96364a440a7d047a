// See site-originals.mjs.
module.exports = function picture() {
  const img = '{ src, width: 1440, height: 810 }'
  return `import src from ${JSON.stringify(this.resourcePath)}\nexport default { sources: [], img: ${img}, placeholder: null }\n`
}
