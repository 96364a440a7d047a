// Addresses that a request from outside must not reach through us (IANA's special-purpose registries).
import { BlockList, isIP } from 'node:net'

const PRIVATE: [address: string, prefix: number, family: 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['::1', 128, 'ipv6'],
  // NAT64 of a network's own: where in it the IPv4 address stands is up to that network.
  ['64:ff9b:1::', 48, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
  ['5f00::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

const blocked = new BlockList()
for (const [address, prefix, family] of PRIVATE) blocked.addSubnet(address, prefix, family)

// IPv6 addresses with an IPv4 address inside: mapped, NAT64, 6to4. Where it stands, in groups of 16 bits.
const EMBEDDED: [prefix: RegExp, group: number][] = [
  [/^0:0:0:0:0:ffff:/, 6],
  [/^0:0:0:0:ffff:0:/, 6],
  [/^0:0:0:0:0:0:/, 6],
  [/^64:ff9b:0:0:0:0:/, 6],
  [/^2002:/, 1],
]

/** All eight groups of an IPv6 address, in hexadecimal without leading zeros. */
function expand(address: string): string {
  // The URL parser knows every spelling, a dotted end included.
  const compact = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [head = '', tail] = compact.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  if (tail === undefined) return left.join(':')
  return [...left, ...Array(8 - left.length - right.length).fill('0'), ...right].join(':')
}

function embedded(address: string): string | null {
  const groups = expand(address)
  const place = EMBEDDED.find(([prefix]) => prefix.test(groups))?.[1]
  if (place === undefined) return null
  const [high = 0, low = 0] = groups
    .split(':')
    .slice(place, place + 2)
    .map(group => Number.parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Whether an IP address is of no public network. What is no address is not public. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return blocked.check(address, 'ipv4')
  if (family !== 6) return true
  if (blocked.check(address.replace(/%.*$/, ''), 'ipv6')) return true
  const inner = embedded(address)
  return inner !== null && blocked.check(inner, 'ipv4')
}
