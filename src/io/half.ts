/** Conversions between IEEE 754 binary16 (f16), bfloat16 and binary32, on bit patterns. */

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function fromBits(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** The value of an f16 bit pattern; exact, because every f16 number is an f32 number. */
export function halfToFloat(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return (sign ? -1 : 1) * mantissa * 2 ** -24;
  if (exponent === 31) return fromBits(sign | 0x7f800000 | (mantissa << 13));
  return fromBits(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

/** The f16 bit pattern nearest to an f32 value, ties to even; above 65,520 it is infinity, NaN stays NaN. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65,536 and above, infinity too
  if (magnitude < 0x38800000) {
    // Below 2^-14: counts of 2^-24. Adding 0.5 leaves 24 bits that end at 2^-24, so the addition rounds to even.
    float[0] = fromBits(magnitude) + 0.5;
    return sign | (word[0] - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13); // a carry into the exponent is the right result
}

/** The value of a bfloat16 bit pattern: the upper half of an f32. */
export function bfloat16ToFloat(bits: number): number {
  return fromBits(bits << 16);
}

/** The bfloat16 bit pattern nearest to an f32 value, ties to even; what rounds beyond the largest is infinity, NaN stays NaN. */
export function floatToBfloat16(value: number): number {
  float[0] = value;
  const bits = word[0];
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits >>> 16) + ((bits & 0xffff) + ((bits >>> 16) & 1) > 0x8000 ? 1 : 0)) & 0xffff;
}
