import { lazy, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import '../../style.css'
import card from '../../images/card.jpg'
import smallDusk from '../../images/dusk.jpg?smallest'
import hero from '../../images/hero.jpg?w=480;960;1440&picture'
import lake from '../../images/lake.jpg'
import smallLake from '../../images/lake-480.jpg'
import supper from '../../images/supper.webp'

// An animation, by its URL.
const sun = new URL('../../images/sun.gif', import.meta.url).href

// The map comes when everything else is there.
const RouteMap = lazy(() => import('./RouteMap.jsx'))

function Day({ when, title, src, alt, children, ...more }) {
  return (
    <article className="day">
      <img src={src} alt={alt} {...more} />
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
      <section className="days">
        <Day
          when="Day one"
          title="Along the water"
          src={lake}
          srcSet={`${smallLake} 480w, ${lake} 960w`}
          sizes="(min-width: 60rem) 34rem, 100vw"
          alt="Snowy mountains mirrored in a lake"
        >
          No wind until noon. We counted the peaks twice, once in the sky and once in the lake.
        </Day>
        <Day when="Day two" title="Rain, and a game at the hut" src={supper} alt="Three marbles on a wooden table">
          The warden plays marbles for the washing-up. He has never been known to lose.
        </Day>
      </section>
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
