// Shows which addresses are private, in every spelling, and which URLs a pattern allows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isPrivateAddress } from '../esm/server/addresses.js'
import { isAllowed } from '../esm/server/patterns.js'

describe('addresses and patterns', () => {
  const PRIVATE = [
    ...['0.0.0.0', '10.255.255.255', '100.64.0.1', '127.255.255.254', '169.254.169.254', '172.31.255.255', '192.0.0.8'],
    ...[
      '192.168.255.255',
      '198.19.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:10.0.0.1',
      '::ffff:0a00:1',
    ],
    ...[
      '::10.0.0.1',
      '::ffff:0:10.0.0.1',
      '64:ff9b::10.0.0.1',
      '64:ff9b:1::1.1.1.1',
      '64:FF9B:1:ffff::1',
      '2002:a00:1::',
    ],
    ...['2002:c0a8:0101::1', '2001:0:1::', '2001:db8::1', 'fc00::1', 'fdff::1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    ...[
      'fec0::1',
      'ff02::1',
      '::ffff:127.0.0.1%lo',
      '100::1',
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '1.1.1.1 ',
      '01.1.1.1',
    ],
  ]
  const PUBLIC = [
    ...['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0'],
    ...[
      '192.167.255.255',
      '223.255.255.255',
      '2606:4700::1111',
      '::ffff:1.1.1.1',
      '64:ff9b::1.1.1.1',
      '2002:101:101::',
    ],
    ...['2a00:1450::1', '2001:4860:4860::8888'],
  ]
  it('every range of private addresses is known, in every spelling', () => {
    for (const address of PRIVATE) assert.equal(isPrivateAddress(address), true, address)
    for (const address of PUBLIC) assert.equal(isPrivateAddress(address), false, address)
  })

  const HOST = { hostname: 'img.example.com' }
  const MATCHES = [
    ['https://img.example.com/a', HOST, true],
    ['https://IMG.EXAMPLE.COM:8443/a?b', HOST, true],
    ['https://img.example.com./a', HOST, false],
    ['https://imgxexample.com/', HOST, false],
    ['https://img.example.com.evil.test/', HOST, false],
    ['https://evil.test/img.example.com', HOST, false],
    ['https://evil.test/?https://img.example.com', HOST, false],
    ['https://img.example.com@evil.test/', HOST, false],
    ['https://evil.test\\@img.example.com/', HOST, false],
    ['https://evil.test#@img.example.com', HOST, false],
    ['https://a.example.com/', { hostname: '*.example.com' }, true],
    ['https://a.b.example.com/', { hostname: '*.example.com' }, false],
    ['https://example.com/', { hostname: '*.example.com' }, false],
    ['https://evilexample.com/', { hostname: '*.example.com' }, false],
    ['https://a.b.example.com/', { hostname: '**.example.com' }, true],
    ['https://aXexample.com/', { hostname: '**.example.com' }, false],
    ['http://img.example.com/', { ...HOST, protocol: 'https' }, false],
    ['https://img.example.com/', { ...HOST, port: '' }, true],
    ['https://img.example.com:444/', { ...HOST, port: '' }, false],
    ['https://img.example.com:443/', { ...HOST, port: '' }, true],
    ['https://img.example.com/a/b', { ...HOST, pathname: '/a/*' }, true],
    ['https://img.example.com/a/b/c', { ...HOST, pathname: '/a/*' }, false],
    ['https://img.example.com/a/b/c', { ...HOST, pathname: '/a/**' }, true],
    ['https://img.example.com/a/../secret', { ...HOST, pathname: '/a/**' }, false],
    ['https://img.example.com/a/%2e%2e/secret', { ...HOST, pathname: '/a/**' }, false],
    ['https://img.example.com/a/..\\secret', { ...HOST, pathname: '/a/**' }, false],
    ['https://img.example.com/x/a/b', { ...HOST, pathname: '/a/**' }, false],
    ['https://img.example.com/a?x=1', { ...HOST, search: '' }, false],
    ['https://img.example.com/a?x=1', { ...HOST, search: '?x=1' }, true],
    ['https://img.example.com/a(b)+', { ...HOST, pathname: '/a(b)+' }, true],
    ['https://img.example.com/aab', { ...HOST, pathname: '/a+b' }, false],
    ['https://anything.test/', { hostname: '**' }, true],
    ['https://[2606::1]/', { hostname: '[2606::1]' }, true],
  ]
  it('patterns allow what they say and nothing that only looks like it', () => {
    for (const [url, pattern, expected] of MATCHES) {
      assert.equal(isAllowed(new URL(url), [pattern]), expected, `${url} ${JSON.stringify(pattern)}`)
    }
    assert.equal(isAllowed(new URL('https://img.example.com/'), []), false)
  })
})
