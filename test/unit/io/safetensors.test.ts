import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors';
import type { Dtype, TensorData } from '../../../src/io/tensor';

/** A file of `header` (text or bytes) and `data` bytes; `length` lies about the header's length. */
function file(header: string | Uint8Array, data = 0, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const out = new Uint8Array(8 + text.length + data);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) =>
  JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, end] });

describe('hostile files', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['no bytes', new Uint8Array(), /has 0 bytes/],
    ['seven bytes', new Uint8Array(7), /has 7 bytes/],
    ['header longer than the file', file('{}', 0, 3n), /header claims 3 bytes, but the file has only 2/],
    ['header of 2^63 bytes', file('{}', 0, 2n ** 63n), /header claims 9223372036854775808 bytes, the limit/],
    ['header above the limit', file('{}', 0, 100_000_001n), /the limit is 100000000/],
    ['empty header', file(''), /does not begin with \{/],
    ['header that begins with a space', file(' {}'), /does not begin with \{/],
    ['header that is a list', file('[]'), /does not begin with \{/],
    ['byte order mark', file('\ufeff{}'), /does not begin with \{/],
    ['bad UTF-8', file(new Uint8Array([0x7b, 0x22, 0xff, 0x22])), /not valid UTF-8/],
    ['lone surrogate', file(`{"\\ud800":${f32(0, 4)}}`, 4), /not valid Unicode/],
    ['cut header', file('{"a":{"dtype":"F32"'), /the end at character/],
    ['text after the header', file('{} {}'), /"\{" at character 3/],
    ['trailing comma', file(`{"a":${f32(0, 4)},}`, 4), /"\}" at character/],
    ['control character', file('{"a\n":1}'), /not valid JSON/],
    ['bad escape', file('{"\\x":1}'), /not valid JSON/],
    ['string without an end', file('{"a\\'), /the end at character/],
    ['deep nesting', file(`{"a":${'['.repeat(50_000)}`), /nests deeper/],
    ['a tensor twice', file(`{"a":${f32(0, 4)},"a":${f32(4, 8)}}`, 8), /key "a" is there twice/],
    ['an escaped name twice', file(`{"a":${f32(0, 4)},"\\u0061":${f32(4, 8)}}`, 8), /"a" is there twice/],
    [
      '__proto__ twice',
      file(`{"__proto__":${f32(0, 4)},"__proto__":${f32(4, 8)}}`, 8),
      /"__proto__" is there twice/,
    ],
    [
      'a field twice',
      file('{"a":{"dtype":"F32","dtype":"F64","shape":[],"data_offsets":[0,4]}}', 4),
      /twice/,
    ],
    ['overlap', file(`{"a":${f32(0, 8)},"b":${f32(4, 12)}}`, 12), /"b" begins at byte 4 and overlaps/],
    [
      'the same bytes twice',
      file(`{"a":${f32(0, 4)},"b":${f32(0, 4)}}`, 4),
      /"b" begins at byte 0 and overlaps/,
    ],
    ['hole', file(`{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12), /"b" begins at byte 8 and leaves a hole/],
    ['hole at the start', file(`{"a":${f32(4, 8)}}`, 8), /"a" begins at byte 4 and leaves a hole/],
    ['bytes after the last tensor', file(`{"a":${f32(0, 4)}}`, 5), /take 4 bytes, but 5 follow/],
    ['truncated data', file(`{"a":${f32(0, 8)}}`, 7), /take 8 bytes, but 7 follow/],
    ['end before begin', file(`{"a":${f32(4, 0, [1])}}`, 4), /span -4/],
    ['shape larger than range', file(`{"a":${f32(0, 4, [2])}}`, 4), /needs 8 bytes .* span 4/],
    ['overflowing shape', file(`{"a":${f32(0, 4, [2 ** 40, 2 ** 40])}}`, 4), /shape of tensor "a" overflows/],
    [
      'overflow to the right size',
      file(`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4),
      /overflows/,
    ],
    [
      'offset beyond 2^64',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[99999999999999999999,0]}}'),
      /overflows/,
    ],
    [
      'offset of a million digits',
      file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[${'9'.repeat(1e6)},0]}}`),
      /whole number/,
    ],
    ['negative extent', file('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}'), /whole number/],
    ['fraction', file('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1), /whole number/],
    ['three offsets', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}', 1), /not two numbers/],
    ['no shape', file('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), /no list shape/],
    ['unknown dtype', file('{"a":{"dtype":"F9","shape":[1],"data_offsets":[0,1]}}', 1), /"F9", known are/],
    [
      'dtype toString',
      file('{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}', 1),
      /dtype "toString"/,
    ],
    ['entry that is no object', file('{"a":[]}'), /"a" is not an object/],
    [
      'metadata with a number',
      file('{"__metadata__":{"step":1}}'),
      /value of "step" in __metadata__ is not a string/,
    ],
    ['metadata that is a string', file('{"__metadata__":"x"}'), /__metadata__ is not an object/],
  ];
  test.each(cases)('%s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'net.safetensors')).toThrow(UserError);
    expect(() => readSafetensors(bytes, 'net.safetensors')).toThrow(message);
    expect(() => readSafetensors(bytes, 'net.safetensors')).toThrow(
      /^net\.safetensors is not a valid safetensors file/,
    );
  });
});

describe('reading', () => {
  test('a type of the format that is not read is named, with what to do', () => {
    const bytes = file('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', 1);
    expect(() => readSafetensors(bytes, 'net.safetensors')).toThrow(
      /^net\.safetensors has a tensor "a" of the type F8_E4M3, which is not read: save it as float16/,
    );
  });

  test('`__proto__` and numbers are names like others', () => {
    const { tensors } = readSafetensors(file(`{"__proto__":${f32(0, 4)},"7":${f32(4, 8)}}`, 8), 'f');
    expect([...tensors.keys()]).toEqual(['__proto__', '7']);
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false);
  });

  test('every dtype', () => {
    const read = (dtype: string, raw: ArrayBufferView) => {
      const bytes = file(
        `{"a":{"dtype":"${dtype}","shape":[],"data_offsets":[0,${raw.byteLength}]}}`,
        raw.byteLength,
      );
      bytes.set(new Uint8Array(raw.buffer), bytes.length - raw.byteLength);
      return readSafetensors(bytes, 'f').tensors.get('a')!;
    };
    expect(read('F64', new Float64Array([0.1])).data).toEqual(new Float32Array([0.1]));
    expect(read('F32', new Float32Array([0.1])).data).toEqual(new Float32Array([0.1]));
    expect(read('F16', new Uint16Array([0xc500])).data).toEqual(new Float32Array([-5]));
    expect(read('BF16', new Uint16Array([0xc0a0])).data).toEqual(new Float32Array([-5]));
    expect(read('I64', new BigInt64Array([-(2n ** 60n) - 1n])).data[0]).toBe(-(2n ** 60n) - 1n);
    expect(read('U64', new BigUint64Array([2n ** 64n - 1n])).data[0]).toBe(2n ** 64n - 1n);
    expect(read('I32', new Int32Array([-5])).data).toEqual(new Int32Array([-5]));
    expect(read('U32', new Uint32Array([2 ** 32 - 1])).data[0]).toBe(2 ** 32 - 1);
    expect(read('I16', new Int16Array([-5])).data).toEqual(new Int16Array([-5]));
    expect(read('U16', new Uint16Array([65535])).data[0]).toBe(65535);
    expect(read('I8', new Int8Array([-5])).data).toEqual(new Int8Array([-5]));
    expect(read('U8', new Uint8Array([255])).data[0]).toBe(255);
    expect(read('BOOL', new Uint8Array([1]))).toEqual({
      dtype: 'BOOL',
      shape: [],
      data: new Uint8Array([1]),
    });
  });
});

describe('writing', () => {
  const data: fc.Arbitrary<{ data: TensorData; dtype: Dtype }> = fc.oneof(
    fc.float32Array({ maxLength: 12 }).map((a) => ({ data: new Float32Array(a), dtype: 'F32' as const })),
    fc.int32Array({ maxLength: 12 }).map((a) => ({ data: new Int32Array(a), dtype: 'I32' as const })),
    fc.uint8Array({ maxLength: 12 }).map((a) => ({ data: new Uint8Array(a), dtype: 'BOOL' as const })),
    fc.bigInt64Array({ maxLength: 12 }).map((a) => ({ data: new BigInt64Array(a), dtype: 'I64' as const })),
    fc.uint16Array({ maxLength: 12 }).map((a) => ({ data: new Uint16Array(a), dtype: 'U16' as const })),
  );
  const name = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('__proto__', '1', 'a"b\\', 'constructor'),
  );

  test('what is written is read back, whatever the names, types and metadata', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, data)), fc.array(fc.tuple(name, fc.string())), (entries, pairs) => {
        const tensors = new Map(entries.map(([key, t]) => [key, { ...t, shape: [t.data.length] }]));
        const metadata = new Map(pairs);
        const bytes = writeSafetensors(tensors, metadata);
        const read = readSafetensors(bytes, 'f');
        expect(read.metadata).toEqual(metadata);
        expect(read.tensors.size).toBe(tensors.size);
        for (const [key, tensor] of tensors) expect(read.tensors.get(key)).toEqual(tensor);
        expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
      }),
    );
  });

  test('the layout: wide types first, in their order within a type, the header padded with spaces', () => {
    const bytes = writeSafetensors(
      new Map([
        ['b', { shape: [1], data: new Float32Array([1]) }],
        ['c', { shape: [1], data: new Int8Array([1]) }],
        ['a', { shape: [1, 1], data: new Float32Array([2]) }],
        ['d', { shape: [], data: new BigInt64Array([3n]) }],
      ]),
      new Map([['format', 'pt']]),
    );
    const header =
      '{"__metadata__":{"format":"pt"},' +
      '"d":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},' +
      '"a":{"dtype":"F32","shape":[1,1],"data_offsets":[12,16]},' +
      '"c":{"dtype":"I8","shape":[1],"data_offsets":[16,17]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
    expect(new TextDecoder().decode(bytes.subarray(8, bytes.length - 17))).toBe(padded);
  });

  test('floats in their own type, rounded to the nearest; integers as they are', () => {
    const one = (dtype: Dtype, value: number) => {
      const bytes = writeSafetensors(new Map([['w', { dtype, shape: [1], data: Float32Array.of(value) }]]));
      return readSafetensors(bytes, 'f').tensors.get('w');
    };
    expect(one('F16', 0.1)).toEqual({ dtype: 'F16', shape: [1], data: Float32Array.of(0.0999755859375) });
    expect(one('BF16', 0.1)).toEqual({ dtype: 'BF16', shape: [1], data: Float32Array.of(0.10009765625) });
    expect(one('F64', 0.1)).toEqual({ dtype: 'F64', shape: [1], data: Float32Array.of(0.1) });
  });

  test('a shape that does not match its data is the caller’s mistake', () => {
    expect(() => writeSafetensors(new Map([['w', { shape: [3], data: new Float32Array(2) }]]))).toThrow(
      TypeError,
    );
  });
});
