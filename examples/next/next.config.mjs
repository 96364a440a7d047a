import { withPixrace } from 'pixrace/next'

export default withPixrace({})
