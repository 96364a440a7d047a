import sharp from 'sharp'
import pixrace from './index.js'
import {fixture} from './__test__/support/fixtures.mjs'
import {readExif} from './__test__/support/exif.mjs'
const f=fixture('exif-xmp.jpg'); const m=await sharp(f).metadata(); console.log(readExif(m.exif), m.xmp?.length)
const r=await pixrace.optimize(f,{metadata:'keep'}); console.log(r.warnings, r.width,r.height)
for(const c of r.candidates){ const m=await sharp(c.data).metadata(); console.log(c.format,m.width,m.height,m.orientation,m.exif&&readExif(m.exif), m.xmp?.length, m.xmp?.equals((await sharp(f).metadata()).xmp), m.exif?.subarray(0,12).toString('latin1')) }
