import Image from 'next/image'
import card from '../../images/card.jpg'
import hero from '../../images/hero.jpg'
import lake from '../../images/lake.jpg'
import logo from '../../images/logo.png'
import map from '../../images/map.png'
import sun from '../../images/sun.gif'
import supper from '../../images/supper.jpg'

function Day({ when, title, src, alt, children }) {
  return (
    <article className="day">
      <Image src={src} alt={alt} sizes="(min-width: 60rem) 34rem, 100vw" />
      <div>
        <p className="when">{when}</p>
        <h2>{title}</h2>
        <p>{children}</p>
      </div>
    </article>
  )
}

export default function Page() {
  return (
    <>
      <header className="masthead">
        <Image src={logo} alt="" width={96} height={96} />
        <h1>Five days above Veyr</h1>
        <p className="lede">From the lake to the tarn, with one pair of boots and too much cheese.</p>
      </header>
      <section className="days">
        <Day when="Day one" title="Along the water" src={lake} alt="Snowy mountains mirrored in a lake">
          No wind until noon. We counted the peaks twice, once in the sky and once in the lake.
        </Day>
        <Day when="Day two" title="Rain, and a game at the hut" src={supper} alt="Three marbles on a wooden table">
          The warden plays marbles for the washing-up. He has never been known to lose.
        </Day>
      </section>
      <figure className="wide">
        <Image src={hero} alt="A rock wall across the water" sizes="100vw" preload />
        <figcaption>Day three: the wall. The path is on the other side, thankfully.</figcaption>
      </figure>
      <section className="more">
        <Day when="Day four" title="Up before the sun" src={sun} alt="The sun crosses the sky">
          We waited on the ridge until it was round.
        </Day>
        <Day when="Day five" title="The tarn" src={card} alt="A tarn between mountains">
          Colder than it looks, and it looks cold.
        </Day>
      </section>
      <figure className="map">
        <Image src={map} alt="Map of the way" sizes="45rem" />
        <figcaption>Forty-two kilometres, most of them up.</figcaption>
      </figure>
      <footer className="foot">
        <Image className="postcard" src="/postcard.jpg" alt="A postcard: the lake at dusk" width={240} height={160} />
        <p>Wish you were here.</p>
      </footer>
    </>
  )
}
