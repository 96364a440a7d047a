import { lazy, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import '../../style.css'
import card from '../../images/card.jpg'
import smallDusk from '../../images/dusk.jpg?smallest'
import hero from '../../images/hero.jpg?w=480;960;1440&picture'

// An animation, by its URL.
const sun = new URL('../../images/sun.gif', import.meta.url).href

// The map comes when everything else is there.
const RouteMap = lazy(() => import('./RouteMap.jsx'))

function Day({ when, title, src, alt, children }) {
  return (
    <article className="day">
      <img src={src} alt={alt} />
      <div>
        <p className="when">{when}</p>
        <h2>{title}</h2>
        <p>{children}</p>
      </div>
    </article>
  )
}

function Hero() {
  const { sources, img, placeholder } = hero
  return (
    <figure className="wide">
      <picture>
        {sources.map(({ srcset, type }) => (
          <source key={type} srcSet={srcset} type={type} sizes="100vw" />
        ))}
        <img
          src={img.src}
          srcSet={img.srcset}
          width={img.width}
          height={img.height}
          sizes="100vw"
          alt="A rock wall across the water"
          style={placeholder ? { backgroundImage: `url(${placeholder})` } : undefined}
        />
      </picture>
      <figcaption>Day three: the wall. The path is on the other side, thankfully.</figcaption>
    </figure>
  )
}

function Journal() {
  return (
    <>
      <Hero />
      <section className="more">
        <Day when="Day four" title="Up before the sun" src={sun} alt="The sun crosses the sky">
          We waited on the ridge until it was round.
        </Day>
        <Day when="Day four" title="Down after it" src={smallDusk} alt="Dusk over the lake">
          The last light stays on the east side longest.
        </Day>
        <Day when="Day five" title="The tarn" src={card} alt="A tarn between mountains">
          Colder than it looks, and it looks cold.
        </Day>
      </section>
      <Suspense>
        <RouteMap />
      </Suspense>
    </>
  )
}

createRoot(document.querySelector('#journal')).render(<Journal />)
