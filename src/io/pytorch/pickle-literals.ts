/** Numbers and texts as pickles spell them. */
import { FormatError } from '../format-error';

/** A whole number in decimal, or a boolean, as protocol 0 writes them. */
export function integerOf(text: string): boolean | number | bigint {
  const line = text.replace(/L$/, '');
  if (line === '00' || line === '01') return line === '01';
  if (!/^-?\d{1,100}$/.test(line)) throw new FormatError('its pickle has a number that is none');
  return narrow(BigInt(line));
}

/** A two's-complement little-endian integer. */
export function longOf(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return narrow(BigInt.asIntN(8 * bytes.length, value));
}

/** Text of Python's raw-unicode-escape: one byte a character, or \u and \U with the code point in hexadecimal. */
export const unescaped = (text: string): string =>
  text.replace(/\\u([\da-fA-F]{4})|\\U00([\da-fA-F]{6})/g, (whole, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
