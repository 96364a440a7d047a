import pixrace from 'pixrace/vite'
import { defineConfig } from 'vite'

// Only because the pictures of these examples stand beside this folder, where the page of a development server cannot reach.
const { pathname } = new URL('..', import.meta.url)
const images = { target: 'http://localhost', bypass: ({ url }) => `/@fs${pathname}${url.slice(1)}` }

export default defineConfig({
  plugins: [pixrace()],
  server: { fs: { allow: ['..'] }, proxy: { '/images/': images } },
})
