import map from '../../images/map.png'

export default function RouteMap() {
  return (
    <figure className="map">
      <img src={map} alt="Map of the way" width="720" height="440" />
      <figcaption>Forty-two kilometres, most of them up.</figcaption>
    </figure>
  )
}
