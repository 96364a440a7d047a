// Types of image imports with a query: `/// <reference types="pixrace/client" />`, or "types": ["pixrace/client"] in
// tsconfig.json. Plain imports (`./hero.jpg`) are the bundler's: `vite/client`, for example, has them.

interface PixracePicture {
  /** For `<source>`, in order of preference. Empty in development and for a file that could not be read. */
  sources: { srcset: string; type: string }[]
  /** For `<img>`: the file for browsers that take none of the sources. */
  img: {
    src: string
    /** Width as shown, in pixels, of the largest file. */
    width: number
    height: number
    /** Where there are several widths. */
    srcset?: string
  }
  /** A `data:` URL or a colour to show until the picture is there; null where none was asked for. */
  placeholder: string | null
}

declare module '*?smallest' {
  /** The URL of the smallest file of any format. */
  const url: string
  export default url
}

declare module '*?picture' {
  const picture: PixracePicture
  export const sources: PixracePicture['sources']
  export const img: PixracePicture['img']
  export const placeholder: PixracePicture['placeholder']
  export default picture
}

// TypeScript allows one star in a name, so with options `picture` stands last: './hero.jpg?w=480;960&picture'.
declare module '*&picture' {
  const picture: PixracePicture
  export const sources: PixracePicture['sources']
  export const img: PixracePicture['img']
  export const placeholder: PixracePicture['placeholder']
  export default picture
}
