import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from '../../../src/io/half';

/** The definition of binary16, in doubles. */
function halfByDefinition(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

test('all 65,536 halfs have the value of their definition, and come back as the same bits', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = halfToFloat(bits);
    if (!Object.is(value, halfByDefinition(bits))) expect.fail(`0x${bits.toString(16)} became ${value}`);
    const back = floatToHalf(value);
    if (Number.isNaN(value)) expect(back & 0x7fff).toBeGreaterThan(0x7c00);
    else if (back !== bits) expect.fail(`0x${bits.toString(16)} came back as 0x${back.toString(16)}`);
  }
});

test('floatToHalf rounds to nearest, ties to even, between all neighbours of both signs', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [halfByDefinition(bits), halfByDefinition(bits + 1)];
    const middle = (low + high) / 2;
    const even = bits % 2 === 0 ? bits : bits + 1;
    const ulp = 2 ** Math.max(-149, Math.floor(Math.log2(middle)) - 23);
    for (const sign of [0, 0x8000]) {
      const s = sign ? -1 : 1;
      const got = [floatToHalf(s * (middle - ulp)), floatToHalf(s * middle), floatToHalf(s * (middle + ulp))];
      const want = [bits | sign, even | sign, (bits + 1) | sign];
      if (got.join() !== want.join()) expect.fail(`around ${s * middle}: ${got} instead of ${want}`);
    }
  }
});

test('floatToHalf at the ends of the range', () => {
  expect(floatToHalf(65519.99609375)).toBe(0x7bff);
  expect(floatToHalf(65520)).toBe(0x7c00);
  expect(floatToHalf(3.4e38)).toBe(0x7c00);
  expect(floatToHalf(Number.NEGATIVE_INFINITY)).toBe(0xfc00);
  expect(floatToHalf(2 ** -25)).toBe(0);
  expect(floatToHalf(2 ** -149)).toBe(0);
  expect(floatToHalf(-0)).toBe(0x8000);
});

test('bfloat16ToFloat is the upper half of an f32', () => {
  expect(bfloat16ToFloat(0x3fc0)).toBe(1.5);
  expect(bfloat16ToFloat(0x0001)).toBe(2 ** -133);
  expect(bfloat16ToFloat(0xff80)).toBe(Number.NEGATIVE_INFINITY);
  expect(bfloat16ToFloat(0x7fc0)).toBeNaN();
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (value) => {
      const bits = new Uint32Array(new Float32Array([value]).buffer)[0];
      const truncated = new Float32Array(new Uint32Array([bits & 0xffff0000]).buffer)[0];
      expect(bfloat16ToFloat(bits >>> 16)).toBe(truncated);
    }),
  );
});

test('floatToBfloat16 rounds to nearest, ties to even, and undoes bfloat16ToFloat', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = bfloat16ToFloat(bits);
    const back = floatToBfloat16(value);
    if (Number.isNaN(value)) expect(back & 0x7fff).toBeGreaterThan(0x7f80);
    else if (back !== bits) expect.fail(`0x${bits.toString(16)} came back as 0x${back.toString(16)}`);
  }
  const float = (bits: number) => new Float32Array(new Uint32Array([bits]).buffer)[0];
  expect(floatToBfloat16(float(0x3f808000))).toBe(0x3f80);
  expect(floatToBfloat16(float(0x3f818000))).toBe(0x3f82);
  expect(floatToBfloat16(float(0x3f807fff))).toBe(0x3f80);
  expect(floatToBfloat16(float(0xbf808001))).toBe(0xbf81);
  expect(floatToBfloat16(float(0x7f7fffff))).toBe(0x7f80);
  expect(floatToBfloat16(float(0x7f800001))).toBe(0x7fc0);
});
