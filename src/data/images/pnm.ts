import { ImageError, type ImageFormat, repeatGray, roundHalfEven, type Size } from './format';

interface PnmHeader extends Size {
  channels: number;
  /** the largest value of a sample; two bytes a sample above 255 */
  largest: number;
  /** where the samples begin */
  start: number;
}

/** Binary PPM and PGM (Netpbm's P6 and P5), which torchvision's ImageFolder takes too; data sets of road signs use them. */
export const pnm: ImageFormat = {
  name: 'PPM',
  recognises: (bytes) => bytes[0] === 0x50 && (bytes[1] === 0x35 || bytes[1] === 0x36) && isSpace(bytes[2]),
  size: (bytes) => {
    const { width, height } = readHeader(bytes);
    return { width, height };
  },
  decode: async (bytes) => {
    const { width, height, channels, largest, start } = readHeader(bytes);
    const wide = largest > 255 ? 2 : 1;
    const count = width * height * channels;
    if (start + count * wide > bytes.length) throw new ImageError('the PPM is cut off');
    const samples = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const at = start + i * wide;
      const value = wide === 2 ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
      // of 16 bits the high byte stays, as in PNG
      samples[i] = largest === 65535 ? value >> 8 : Math.min(255, roundHalfEven((value / largest) * 255));
    }
    return channels === 3 ? samples : repeatGray(samples);
  },
};

/** Width, height and largest value stand as numbers between white space and comments. */
function readHeader(bytes: Uint8Array): PnmHeader {
  const values: number[] = [];
  let at = 2;
  while (values.length < 3) {
    while (isSpace(bytes[at]) || bytes[at] === 0x23) {
      if (bytes[at] === 0x23) while (at < bytes.length && bytes[at] !== 10) at++;
      else at++;
    }
    let value = 0;
    const begin = at;
    for (; bytes[at] >= 0x30 && bytes[at] <= 0x39 && at - begin < 10; at++)
      value = value * 10 + bytes[at] - 0x30;
    if (at === begin || !isSpace(bytes[at])) throw new ImageError('the PPM is damaged');
    values.push(value);
  }
  const [width, height, largest] = values;
  if (largest < 1 || largest > 65535) throw new ImageError('the PPM is damaged');
  return { width, height, channels: bytes[1] === 0x36 ? 3 : 1, largest, start: at + 1 };
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}
