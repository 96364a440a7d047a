// Where the compiled files are: CommonJS, because that knows its own folder whichever way the rest is compiled.
export = __dirname
