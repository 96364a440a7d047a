// The loader of next/image in a static export: names of files that are written when the build is complete. It runs in
// browsers too, so it imports nothing. `process.env.…` is replaced when it is built.
interface LoaderProps {
  src: string
  width: number
  quality?: number
}

export default function pixraceExportLoader({ src, width, quality }: LoaderProps): string {
  if (process.env.NODE_ENV === 'development') return `${src}${src.includes('?') ? '&' : '?'}w=${width}`
  const base = process.env.PIXRACE_BASE_PATH ?? ''
  const own = base !== '' && src.startsWith(`${base}/`) ? src.slice(base.length) : src
  // What is no file of the site stays where it is.
  if (!own.startsWith('/') || own.startsWith('//')) return src
  const path = own.replace(/[?#].*$/, '')
  return `${process.env.PIXRACE_IMAGE_PATH}${path}/${width}-${quality ?? 75}.${process.env.PIXRACE_EXPORT_FORMAT}`
}
