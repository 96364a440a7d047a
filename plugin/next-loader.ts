// The loader of next/image: it runs in browsers too, so it imports nothing. `process.env.…` is replaced when it is built.
interface LoaderProps {
  src: string
  width: number
  quality?: number
}

export default function pixraceLoader({ src, width, quality }: LoaderProps): string {
  const query = `url=${encodeURIComponent(src)}&w=${width}${quality ? `&q=${quality}` : ''}`
  // In development originals are shown, at once; Next wants to see the width.
  if (process.env.NODE_ENV === 'development') return `${src}${src.includes('?') ? '&' : '?'}w=${width}`
  return `${process.env.PIXRACE_IMAGE_PATH}?${query}`
}
