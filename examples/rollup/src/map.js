import map from '../../images/map.png'

export function showMap(figure) {
  figure.innerHTML = `<img src="${map}" alt="Map of the way" width="720" height="440">
    <figcaption>Forty-two kilometres, most of them up.</figcaption>`
}
