// The table of requests: a name, what is asked, the status and the headers of the answer.
import { targetOf } from './image-server.mjs'

const SAFE = {
  'content-security-policy': "default-src 'none'; script-src 'none'; frame-src 'none'; sandbox;",
  vary: 'Accept',
  'x-content-type-options': 'nosniff',
}

/**
 * An answer with an image. Length and ETag are those of its body, which the test adds; everything else is here. The images
 * come from the cache, because the test asks twice.
 */
const image = (type, name, more = {}) => ({
  status: 200,
  headers: {
    ...SAFE,
    'cache-control': 'public, max-age=14400, must-revalidate',
    'content-disposition': `inline; filename="${name}.${type === 'jpeg' ? 'jpg' : type}"`,
    'content-type': `image/${type}`,
    'x-pixrace-cache': 'CACHE',
    ...more,
  },
})

const refusal = (status, sentence, more = {}) => ({
  status,
  headers: {
    ...SAFE,
    'cache-control': 'no-store',
    'content-length': String(Buffer.byteLength(sentence) + 1),
    'content-type': 'text/plain; charset=utf-8',
    ...more,
  },
  body: `${sentence}\n`,
})

const NOT_ALLOWED = refusal(400, '`url` is not allowed.')
const NOT_FOUND = refusal(404, 'There is no such image.')
const NO_URL = refusal(400, '`url` is neither a path nor an absolute URL.')
const NO_PATH = refusal(400, '`url` has characters that no path has.')
const NO_IMAGE = refusal(415, 'The resource is no image of a supported format.')
const DAMAGED = refusal(422, 'The image is damaged.')
const TOO_LARGE = refusal(413, 'The image is too large.')
const BAD_WIDTH = refusal(400, '`w` is not an allowed width.')
const BAD_QUALITY = refusal(400, '`q` is not an allowed quality.')
const UNREACHABLE = refusal(502, 'The image cannot be fetched.')
const TOO_LATE = refusal(504, 'The image could not be fetched in time.')
const NO_METHOD = refusal(405, 'Only GET and HEAD are answered.', { allow: 'GET, HEAD' })

const accept = value => ({ headers: { accept: value } })
const JPEG = image('jpeg', 'small')
const SMALL = targetOf('/small.jpg')
/** Large enough that JPEG is smaller than PNG. */
const PHOTO = targetOf('/photo.webp', 64)
const CHROME = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'

// Where more than one format may be taken, the preferences leave one that is best.
const NEGOTIATION = [
  ['no Accept: what every browser shows', PHOTO, accept(null), image('jpeg', 'photo')],
  ['Accept: */*', PHOTO, accept('*/*'), image('jpeg', 'photo')],
  ['Accept: image/*', PHOTO, accept('image/*'), image('jpeg', 'photo')],
  ['Accept: nothing', PHOTO, accept(''), image('jpeg', 'photo')],
  ['Accept without any image', PHOTO, accept('text/html, application/json'), image('jpeg', 'photo')],
  ['AVIF alone', SMALL, accept('image/avif'), image('avif', 'small')],
  ['WebP alone', SMALL, accept('image/webp'), image('webp', 'small')],
  ['PNG alone', SMALL, accept('image/png'), image('png', 'small')],
  ['AVIF preferred by weight', SMALL, accept('image/avif, image/webp;q=0.9, */*;q=0.1'), image('avif', 'small')],
  ['WebP preferred by weight', SMALL, accept('image/avif;q=0.5, image/webp;q=0.8'), image('webp', 'small')],
  ['AVIF refused', SMALL, accept('image/avif;q=0, image/webp, */*;q=0.1'), image('webp', 'small')],
  ['types in capitals, odd spaces', SMALL, accept('  IMAGE/WEBP ;Q=1.0 ,, */*;q=0.1'), image('webp', 'small')],
  ['weights that are none count as 0', SMALL, accept('image/avif;q=7, image/webp;q=a, image/jpeg'), JPEG],
  [
    'JPEG and PNG refused: a picture is better than an error',
    PHOTO,
    accept('image/png;q=0, image/jpeg;q=0'),
    image('jpeg', 'photo'),
  ],
  ['the Accept of Chrome on a picture with alpha', targetOf('/alpha.png'), accept(CHROME), image('webp', 'alpha')],
  ['JPEG for a client that takes no other', SMALL, accept('image/jpeg'), JPEG],
  ['a GIF', targetOf('/still.gif'), accept('image/webp'), image('webp', 'still')],
  ['100 kB of Accept', SMALL, { ...accept('image/webp,'.repeat(1000) + 'a/b;'.repeat(500)) }, image('webp', 'small')],
]

const notModified = type => {
  const { 'content-type': _, ...headers } = image(type, 'small').headers
  return { status: 304, headers, body: '' }
}
const tagged = of => tag => ({ 'if-none-match': of(tag) })

const CONDITIONAL = [
  ['If-None-Match with the tag', SMALL, { headers: tagged(tag => tag) }, notModified('jpeg')],
  ['If-None-Match with the weak tag', SMALL, { headers: tagged(tag => `W/${tag}`) }, notModified('jpeg')],
  ['If-None-Match with a list', SMALL, { headers: tagged(tag => `"a", W/"b",${tag}`) }, notModified('jpeg')],
  ['If-None-Match: *', SMALL, { headers: tagged(() => '*') }, notModified('jpeg')],
  ['If-None-Match of HEAD', SMALL, { method: 'HEAD', headers: tagged(tag => tag) }, notModified('jpeg')],
  ['If-None-Match with another tag', SMALL, { headers: tagged(() => '"another"') }, JPEG],
  ['If-None-Match without quotes', SMALL, { headers: tagged(tag => tag.slice(1, -1)) }, JPEG],
  ['12 kB of If-None-Match', SMALL, { headers: tagged(() => 'W/"'.repeat(4000)) }, JPEG],
  ['If-Modified-Since alone', SMALL, { headers: { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' } }, JPEG],
  ['HEAD', SMALL, { method: 'HEAD' }, { ...JPEG, body: '' }],
  ['HEAD of what is not there', targetOf('/none.jpg'), { method: 'HEAD' }, { ...NOT_FOUND, body: '' }],
  ['Range is ignored', SMALL, { headers: { range: 'bytes=0-9' } }, JPEG],
  ['several ranges are ignored', SMALL, { headers: { range: 'bytes=0-1,4-5' } }, JPEG],
  ['a range beyond the end is ignored', SMALL, { headers: { range: 'bytes=999999-' } }, JPEG],
  ['If-Range is ignored', SMALL, { headers: { range: 'bytes=0-9', 'if-range': '"x"' } }, JPEG],
  ['a range of HEAD is ignored', SMALL, { method: 'HEAD', headers: { range: 'bytes=0-9' } }, { ...JPEG, body: '' }],
]

const METHODS = ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map(method => [method, SMALL, { method }, NO_METHOD])

const once = name => refusal(400, `\`${name}\` may be given once.`)
const PARAMETERS = [
  ['no query', '/_image', {}, refusal(400, '`url` is missing.')],
  ['no url', '/_image?w=16', {}, refusal(400, '`url` is missing.')],
  ['empty url', '/_image?url=&w=16', {}, refusal(400, '`url` is missing.')],
  ['url of 3073 characters', targetOf(`/${'a'.repeat(3072)}`), {}, refusal(400, '`url` is too long.')],
  ['url of 3072 characters', targetOf(`/${'a'.repeat(3071)}`), {}, NOT_FOUND],
  ['two urls', `${SMALL}&url=/alpha.png`, {}, once('url')],
  ['two widths', `${SMALL}&w=32`, {}, once('w')],
  ['two qualities', `${SMALL}&q=75&q=75`, {}, once('q')],
  ['no width', '/_image?url=/small.jpg', {}, refusal(400, '`w` is missing.')],
  ...['0', '-16', '17', '016', '16.0', '1e1', '0x10', '16px', '+16', '%2016', '999999999999', '', 'NaN'].map(width => [
    `w=${width}`,
    `/_image?url=/small.jpg&w=${width}`,
    {},
    BAD_WIDTH,
  ]),
  ['the default quality, said', `${SMALL}&q=75`, {}, JPEG],
  ...['0', '76', '101', '075', '75.0', '-75', '', 'high'].map(q => [`q=${q}`, `${SMALL}&q=${q}`, {}, BAD_QUALITY]),
  ['parameters that nobody knows', `${SMALL}&v=1&x[]=2`, {}, JPEG],
  ['an absolute request target', `http://other.test${SMALL}`, { only: 'node' }, JPEG],
  ['a request target that is no URL', '//', { only: 'node' }, refusal(400, 'The request is for no path.')],
  [
    'a request target with a bad host',
    '//[/_image?url=/small.jpg',
    { only: 'node' },
    refusal(400, 'The request is for no path.'),
  ],
]

const raw = url => `/_image?w=16&url=${url}`
const FILES = [
  ['a file in a folder', targetOf('/dir/inner.jpg'), {}, image('jpeg', 'inner')],
  ['a path encoded twice', raw('%252Fsmall%252Ejpg'), {}, NO_URL],
  ['a name encoded twice is one spelling of it', raw('/sm%2561ll.jpg'), {}, JPEG],
  ['encoded three times it is another name', raw('/sm%252561ll.jpg'), {}, NOT_FOUND],
  ['slashes too many', raw('/dir///inner.jpg'), {}, image('jpeg', 'inner')],
  ['a query and a fragment of the file', targetOf('/small.jpg?v=1#top'), {}, JPEG],
  ['a name outside of ASCII', targetOf('/ü b.jpg'), {}, image('jpeg', '_b')],
  ['a name with a quote keeps its header whole', targetOf('/a"b;c.jpg'), {}, image('jpeg', 'a_b_c')],
  ['a name with a percent sign', raw('/100%2525.jpg'), {}, image('jpeg', '100_')],
  ['a name with a question mark', raw('/q%253Fx.jpg'), {}, image('jpeg', 'q_x')],
  ['a link within the root', targetOf('/link.jpg'), {}, image('jpeg', 'link')],
  ['a link out of the root', targetOf('/out.jpg'), {}, NOT_FOUND],
  ['a linked folder out of the root', targetOf('/outdir/secret.jpg'), {}, NOT_FOUND],
  ['a link to a hidden file', targetOf('/hidden.jpg'), {}, NOT_FOUND],
  ['a link to itself', targetOf('/loop.jpg'), {}, NOT_FOUND],
  ['a hidden file', targetOf('/.secret.jpg'), {}, NOT_FOUND],
  ['a file in a hidden folder', targetOf('/.git/inner.jpg'), {}, NOT_FOUND],
  ['a folder', targetOf('/dir'), {}, NOT_FOUND],
  ['the root', targetOf('/'), {}, NOT_FOUND],
  ['a file below a file', targetOf('/small.jpg/x.jpg'), {}, NOT_FOUND],
  ['a name longer than file systems have', targetOf(`/${'a'.repeat(300)}.jpg`), {}, NOT_FOUND],
  ['a path without a slash', targetOf('small.jpg'), {}, NO_URL],
  ['100 MB', targetOf('/large.png'), {}, TOO_LARGE],
  ['more pixels than the limit', targetOf('/huge-header.png'), {}, TOO_LARGE],
  ['SVG', targetOf('/svg.svg'), {}, NO_IMAGE],
  ['SVG disguised as PNG', targetOf('/svg.png'), {}, NO_IMAGE],
  ['HTML disguised as JPEG', targetOf('/html.jpg'), {}, NO_IMAGE],
  ['HTML behind the first bytes of a JPEG', targetOf('/jpeg-then-html.jpg'), {}, DAMAGED],
  ['a PNG with a wrong checksum', targetOf('/corrupt.png'), {}, DAMAGED],
  ['a JPEG that is cut off', targetOf('/truncated.jpg'), {}, DAMAGED],
  ['0 bytes', targetOf('/empty.jpg'), {}, NO_IMAGE],
  ['a text', targetOf('/text.txt'), {}, NO_IMAGE],
]

const TRAVERSAL = [
  ['../', raw('/../secret.jpg'), NOT_FOUND],
  ['in the middle', raw('/dir/../../secret.jpg'), NOT_FOUND],
  ['encoded', raw('%2F%2E%2E%2Fsecret.jpg'), NOT_FOUND],
  ['encoded twice', raw('%252F..%252Fsecret.jpg'), NO_URL],
  ['dots encoded twice', raw('/%252e%252e/secret.jpg'), NOT_FOUND],
  ['the slash encoded twice', raw('/..%252fsecret.jpg'), NOT_FOUND],
  ['dots encoded three times', raw('/%25252e%25252e/secret.jpg'), NOT_FOUND],
  ['a backslash', raw('/..%5Csecret.jpg'), NO_PATH],
  ['a backslash encoded twice', raw('/..%255Csecret.jpg'), NO_PATH],
  ['backslash first', raw('/%5C..%5Csecret.jpg'), NO_URL],
  ['to a file of the root', raw('/dir/../small.jpg'), NOT_FOUND],
  ['to the same folder', raw('/dir/./inner.jpg'), NOT_FOUND],
  ['through a hidden folder', raw('/.git/../small.jpg'), NOT_FOUND],
  ['....//', raw('/....//secret.jpg'), NOT_FOUND],
  ['..;/', raw('/..;/secret.jpg'), NOT_FOUND],
  ['overlong UTF-8', raw('/%c0%ae%c0%ae/secret.jpg'), NOT_FOUND],
  [
    'overlong UTF-8 encoded twice',
    raw('/%25c0%25ae%25c0%25ae/secret.jpg'),
    refusal(400, '`url` is not encoded correctly.'),
  ],
  ['wide dots', raw('/%EF%BC%8E%EF%BC%8E/secret.jpg'), NOT_FOUND],
  ['a NUL', raw('/small.jpg%00.png'), NO_PATH],
  ['a NUL encoded twice', raw('/..%2500/secret.jpg'), NO_PATH],
  ['a line break', raw('/..%0A/secret.jpg'), NO_PATH],
  ['trailing dots', raw('/dir../secret.jpg'), NOT_FOUND],
  ['a trailing dot of the file', raw('/small.jpg.'), NOT_FOUND],
  ['a trailing space', raw('/small.jpg%20'), NOT_FOUND],
  ['a device of Windows', raw('/CON.jpg'), NOT_FOUND],
  ['a stream of Windows', raw('/small.jpg::$DATA'), NOT_FOUND],
  ['a drive of Windows', raw('/C:/secret.jpg'), NOT_FOUND],
  ['a percent sign alone', raw('/%25'), refusal(400, '`url` is not encoded correctly.')],
].map(([name, target, expected]) => [`traversal: ${name}`, target, {}, expected])

const SCHEMES = [
  ...['//other.test/a.jpg', '/\\other.test/a.jpg', '\\\\other.test\\a', 'a/b.jpg', 'http://', 'http://a b/'],
  ...['http://[fe80::1%25lo]/', 'http://[fe80::1%lo]/', 'http://999.999.999.999/', 'http://a.test:99999/'],
].map(url => [`no URL: ${url}`, targetOf(url), {}, NO_URL])

const REFUSED = [
  ...['file:///etc/passwd', 'data:image/png;base64,AAAA', 'ftp://public.test/a.jpg', 'javascript:alert(1)', 'blob:x'],
  ...['gopher://127.0.0.1:70/', 'http://user:word@public.test/a.jpg', 'http://user@public.test/a.jpg'],
  ...['http://127.0.0.1/', 'HTTP://127.0.0.1/', ' http://127.0.0.1/', 'http:127.0.0.1/', 'http:\\\\127.0.0.1\\'],
  ...['http://127.1/', 'http://127.0.0.1./', 'http://0x7f.1/', 'http://0x7f000001/', 'http://2130706433/'],
  ...['http://0177.0.0.1/', 'http://017700000001/', 'http://127.0.0.1:6379/', 'https://127.0.0.1/', 'http://0/'],
  ...['http://①②⑦.⓪.⓪.①/', 'http://127。0。0。1/', 'http://%31%32%37.0.0.1/', 'http://1\t27.0.0.1/'],
  ...['http://10.0.0.1/', 'http://172.16.0.1/', 'http://192.168.0.1/', 'http://169.254.169.254/latest/meta-data/'],
  ...['http://100.100.100.200/', 'http://198.18.0.1/', 'http://224.0.0.1/', 'http://255.255.255.255/'],
  ...[
    'http://[::]/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
  ],
  ...['http://[::ffff:0:127.0.0.1]/', 'http://[64:ff9b::127.0.0.1]/', 'http://[64:ff9b:1::8.8.8.8]/'],
  ...[
    'http://[2002:7f00:1::]/',
    'http://[2001::1]/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[fd00:ec2::254]/',
  ],
  ...['http://[ff02::1]/', 'http://[2001:db8::1]/'],
  ...['http://localhost/', 'http://localhost./', 'http://LOCALHOST/', 'http://private.test/', 'http://private.test./'],
  ...['http://mixed.test/', 'http://mapped.test/', 'http://nat64.test/', 'http://zone.test/', 'http://metadata.test/'],
].map(url => [`refused: ${JSON.stringify(url).slice(1, -1)}`, targetOf(url), {}, NOT_ALLOWED])

const NETWORK = [
  ['a name without addresses', targetOf('http://empty.test/'), {}, UNREACHABLE],
  ['a name that nobody knows', targetOf('http://unknown.test/'), {}, UNREACHABLE],
  ['a name server that gives no address', targetOf('http://nonsense.test/'), {}, UNREACHABLE],
  ['DNS rebinding: public when asked first', targetOf('http://rebinding.test/ok.jpg'), {}, image('jpeg', 'ok')],
  ['an image of a public address', targetOf('http://public.test/ok.jpg'), {}, image('jpeg', 'ok')],
  ['a fragment is no part of a URL', targetOf('http://public.test/ok.jpg#top'), {}, image('jpeg', 'ok')],
  ['a redirect to a private address', targetOf('http://public.test/to/http%3A%2F%2F127.0.0.1%2F'), {}, NOT_ALLOWED],
  ['a redirect to a private name', targetOf('http://public.test/to/http%3A%2F%2Fprivate.test%2F'), {}, NOT_ALLOWED],
  ['a redirect to a file', targetOf('http://public.test/to-file'), {}, NOT_ALLOWED],
  ['a redirect with a password', targetOf('http://public.test/to-userinfo'), {}, NOT_ALLOWED],
  ['a redirect loop', targetOf('http://public.test/loop'), {}, refusal(508, 'The image is redirected too often.')],
  ['three redirects', targetOf('http://public.test/hops/3'), {}, image('jpeg', '3')],
  ['four redirects', targetOf('http://public.test/hops/4'), {}, refusal(508, 'The image is redirected too often.')],
  ['a redirect to nowhere', targetOf('http://public.test/nowhere'), {}, UNREACHABLE],
  ['a redirect to what is no URL', targetOf('http://public.test/bad-location'), {}, UNREACHABLE],
  ['100 MB without a length', targetOf('http://public.test/flood'), {}, TOO_LARGE],
  ['100 MB with a length', targetOf('http://public.test/flood-said'), {}, TOO_LARGE],
  ['one byte in 200 ms', targetOf('http://public.test/drip'), {}, TOO_LATE],
  ['a server that says nothing', targetOf('http://public.test/silent'), {}, TOO_LATE],
  ['a server that changes the protocol', targetOf('http://public.test/upgrade'), {}, UNREACHABLE],
  ['a body that is cut off', targetOf('http://public.test/cut'), {}, UNREACHABLE],
  ['JPEG that is said to be PNG', targetOf('http://public.test/lie.png'), {}, image('jpeg', 'lie')],
  ['JPEG that is said to be HTML', targetOf('http://public.test/octets'), {}, image('jpeg', 'octets')],
  ['JPEG without a type', targetOf('http://public.test/untyped'), {}, image('jpeg', 'untyped')],
  ['HTML that is said to be JPEG', targetOf('http://public.test/html.jpg'), {}, NO_IMAGE],
  ['SVG that is said to be PNG', targetOf('http://public.test/svg.png'), {}, NO_IMAGE],
  ['remote SVG', targetOf('http://public.test/svg.svg'), {}, NO_IMAGE],
  ['a remote image of 0 bytes', targetOf('http://public.test/empty.jpg'), {}, NO_IMAGE],
  ['a damaged remote image', targetOf('http://public.test/corrupt.png'), {}, DAMAGED],
  ['a remote 404', targetOf('http://public.test/none.jpg'), {}, NOT_FOUND],
  ['a remote 410', targetOf('http://public.test/gone'), {}, NOT_FOUND],
  ['a remote 500', targetOf('http://public.test/error'), {}, UNREACHABLE],
  ['a remote 401', targetOf('http://public.test/forbidden'), {}, UNREACHABLE],
  ['a remote 206', targetOf('http://public.test/partial'), {}, UNREACHABLE],
]

/** [name, target, request, expected]; without an Accept of its own a request takes JPEG alone. */
export const ROWS = [
  ...[...NEGOTIATION, ...CONDITIONAL, ...METHODS, ...PARAMETERS, ...FILES, ...TRAVERSAL, ...SCHEMES, ...REFUSED],
  ...NETWORK,
]
