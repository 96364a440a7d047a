import '../../style.css'
import card from '../../images/card.jpg'

export const metadata = {
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
