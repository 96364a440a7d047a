// Uses a cache in the Redis at the given port once and closes it. Nothing else ends this process.
import { createStorage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { openCache } from '../../esm/cache/index.js'

const storage = createStorage({ driver: redisDriver({ host: '127.0.0.1', port: Number(process.argv[2]) }) })
const cache = openCache({ storage }, '/', { timeoutMs: 500 })
await cache.get('key')
await cache.close()
process.disconnect()
