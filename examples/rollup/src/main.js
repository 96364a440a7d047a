import card from '../../images/card.jpg'
import smallDusk from '../../images/dusk.jpg?smallest'
import hero from '../../images/hero.jpg?w=480;960;1440&picture'

// An animation, by its URL.
const sun = new URL('../../images/sun.gif', import.meta.url)

const sources = hero.sources.map(({ srcset, type }) => `<source srcset="${srcset}" type="${type}" sizes="100vw">`)

const day = (when, title, text, src, alt) => `
  <article class="day">
    <img src="${src}" alt="${alt}">
    <div><p class="when">${when}</p><h2>${title}</h2><p>${text}</p></div>
  </article>`

document.querySelector('#journal').innerHTML = `
  <figure class="wide">
    <picture>
      ${sources.join('')}
      <img
        src="${hero.img.src}"
        srcset="${hero.img.srcset ?? ''}"
        sizes="100vw"
        width="${hero.img.width}"
        height="${hero.img.height}"
        style="background-image: url(${hero.placeholder ?? ''})"
        alt="A rock wall across the water"
      >
    </picture>
    <figcaption>Day three: the wall. The path is on the other side, thankfully.</figcaption>
  </figure>
  <section class="more">
    ${day('Day four', 'Up before the sun', 'We waited on the ridge until it was round.', sun, 'The sun crosses the sky')}
    ${day('Day four', 'Down after it', 'The last light stays on the east side longest.', smallDusk, 'Dusk over the lake')}
    ${day('Day five', 'The tarn', 'Colder than it looks, and it looks cold.', card, 'A tarn between mountains')}
  </section>
  <figure class="map"></figure>`

// The map comes when everything else is there.
import('./map.js').then(({ showMap }) => showMap(document.querySelector('.map')))
