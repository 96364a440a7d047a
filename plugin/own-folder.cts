// Where the loader is: CommonJS, because that knows its own folder whichever way the rest is compiled.
import path = require('node:path')
export = path.join(__dirname, 'webpack-loader.js')
