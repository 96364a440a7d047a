import { fileURLToPath } from 'node:url'
import CopyPlugin from 'copy-webpack-plugin'
import HtmlPlugin from 'html-webpack-plugin'
import MiniCssExtractPlugin from 'mini-css-extract-plugin'
import { PixracePlugin } from 'pixrace/webpack'

// In HTML: what begins with a dot is a module, all other is copied.
const sources = { urlFilter: (_attribute, value) => value.startsWith('.') }

export default {
  context: fileURLToPath(new URL('.', import.meta.url)),
  entry: './src/main.js',
  output: { filename: '[name].[contenthash].js', assetModuleFilename: 'assets/[name].[contenthash][ext]', clean: true },
  module: {
    rules: [
      { test: /\.css$/, use: [MiniCssExtractPlugin.loader, 'css-loader'] },
      { test: /\.html$/, loader: 'html-loader', options: { sources } },
      { test: /\.(?:jpg|png|webp|gif)$/, type: 'asset' },
    ],
  },
  plugins: [
    new PixracePlugin(),
    new HtmlPlugin({ template: './index.html' }),
    new MiniCssExtractPlugin({ filename: '[name].[contenthash].css' }),
    new CopyPlugin({ patterns: ['public'] }),
  ],
}
