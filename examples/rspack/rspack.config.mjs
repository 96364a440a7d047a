import { fileURLToPath } from 'node:url'
import { rspack } from '@rspack/core'
import { PixracePlugin } from 'pixrace/rspack'

export default {
  context: fileURLToPath(new URL('.', import.meta.url)),
  entry: './src/main.jsx',
  output: { filename: '[name].[contenthash].js', assetModuleFilename: 'assets/[name].[contenthash][ext]', clean: true },
  module: {
    rules: [
      { test: /\.css$/, use: [rspack.CssExtractRspackPlugin.loader, 'css-loader'], type: 'javascript/auto' },
      {
        test: /\.jsx$/,
        loader: 'builtin:swc-loader',
        options: {
          jsc: {
            parser: { syntax: 'ecmascript', jsx: true },
            transform: { react: { runtime: 'automatic' } },
          },
        },
      },
      { test: /\.(?:jpg|png|webp|gif)$/, type: 'asset' },
    ],
  },
  plugins: [
    new PixracePlugin(),
    new rspack.HtmlRspackPlugin({ template: './index.html', favicon: '../images/icon.png' }),
    new rspack.CssExtractRspackPlugin({ filename: '[name].[contenthash].css' }),
    new rspack.CopyRspackPlugin({ patterns: ['public', '../images/card.jpg'] }),
  ],
}
