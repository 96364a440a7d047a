import '../../style.css'
import card from '../../images/card.jpg'

export const metadata = {
  // Where the site will be: what others are told of its images has to be absolute.
  metadataBase: new URL('https://veyr.example'),
  title: 'Five days above Veyr',
  description: 'A walk from the lake to the tarn, in pictures.',
  openGraph: { images: [card.src] },
}

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
