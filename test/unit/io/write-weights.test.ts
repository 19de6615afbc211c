import fc from 'fast-check';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { torchHost } from '../../../src/io/pytorch/globals';
import { unpickle } from '../../../src/io/pytorch/pickle';
import { writePyTorch } from '../../../src/io/pytorch/write';
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors';
import { type Dtype, floats, type StateDict, type StateTensor } from '../../../src/io/tensor';
import type { WeightsFile } from '../../../src/io/weights-file';
import { asFloat32, precisionNote, restoreTensors, writeWeights } from '../../../src/io/write-weights';
import { readBytes } from './read-bytes';

const counter: StateTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) };
const of = (dtype: Dtype, ...values: number[]): StateTensor => ({
  dtype,
  shape: [values.length],
  data: Float32Array.from(values),
});
const file = (tensors: StateDict, prefix = ''): WeightsFile => ({
  tensors,
  metadata: new Map([['format', 'pt']]),
  format: 'pytorch-zip',
  prefix,
});
const original = file(
  new Map([
    ['z.weight', floats([2, 1], [1, 2])],
    ['n', counter],
    ['a.weight', of('F16', 3, 4)],
  ]),
  'module.',
);

describe('new weights under the old names', () => {
  test('prefix, order, shapes and types are the file’s; what is not given is carried over', () => {
    const fresh: StateDict = new Map([
      ['a.weight', floats([2], [0.1, 6])],
      ['z.weight', floats([2], [7, 8])],
      ['unknown', floats([1], [9])],
    ]);
    expect([...restoreTensors(original, fresh)]).toEqual([
      ['module.z.weight', floats([2, 1], [7, 8])],
      ['module.n', counter],
      ['module.a.weight', of('F16', 0.1, 6)],
    ]);
    const { tensors, metadata } = readSafetensors(
      writeWeights(original, fresh, { metadata: new Map([['classes', '["a"]']]) }),
      'x',
    );
    expect(tensors.get('module.a.weight')).toEqual(of('F16', 0.0999755859375, 6));
    expect(tensors.get('module.n')).toEqual(counter);
    expect(metadata).toEqual(
      new Map([
        ['format', 'pt'],
        ['classes', '["a"]'],
      ]),
    );
  });

  test('metadata of the same key is replaced', () => {
    const bytes = writeWeights(original, new Map(), { metadata: new Map([['format', 'refocus']]) });
    expect(readSafetensors(bytes, 'x').metadata).toEqual(new Map([['format', 'refocus']]));
  });

  test('a number beyond f16 keeps its tensor in f32, and a sentence says so', () => {
    const fresh: StateDict = new Map([['a.weight', floats([2], [70_000, 1])]]);
    expect(restoreTensors(original, fresh).get('module.a.weight')).toEqual(of('F32', 70_000, 1));
    expect(precisionNote(original, fresh)).toBe(
      'The file\'s weights are f16: they are trained as f32 and written as f16, each number rounded to the nearest; "a.weight" has numbers beyond f16 and is written as f32.',
    );
    expect(precisionNote(original, new Map([['z.weight', floats([2, 1], [1, 2])]]))).toBeUndefined();
  });

  test('an integer tensor that was trained leaves as f32', () => {
    const bytes: StateTensor = { dtype: 'I8', shape: [1], data: Int8Array.of(3) };
    const restored = restoreTensors(file(new Map([['w', bytes]])), new Map([['w', floats([1], [0.5])]]));
    expect(restored.get('w')).toEqual(floats([1], [0.5]));
  });

  test('a head of other classes comes in its own shape', () => {
    const head = floats([3, 1], [1, 2, 3]);
    expect(restoreTensors(original, new Map([['z.weight', head]])).get('module.z.weight')).toEqual(head);
  });

  test('without rounding', () => {
    const exact = asFloat32(original);
    expect(restoreTensors(exact, new Map()).get('module.a.weight')!.dtype).toBe('F32');
    expect(restoreTensors(exact, new Map()).get('module.n')).toEqual(counter);
  });
});

describe('a PyTorch file', () => {
  const written = writePyTorch(
    new Map([
      ['b.weight', floats([2, 3], [1, 2, 3, 4, 5, 6])],
      ['a', of('BF16', 1.5)],
      ['é中', of('F64', 0.1)],
      ['n', counter],
      ['scalar', floats([], [2])],
      ['none', floats([0, 3], [])],
    ]),
    new Map([
      ['__proto__', 'x'],
      ['7', '"'],
    ]),
  );

  test('reads as what it was written from, in order, with its metadata', async () => {
    const { tensors, metadata, format } = await readBytes(written, 'a.pth');
    expect(format).toBe('pytorch-zip');
    expect([...tensors]).toEqual([
      ['b.weight', floats([2, 3], [1, 2, 3, 4, 5, 6])],
      ['a', of('BF16', 1.5)],
      ['é中', { dtype: 'F64', shape: [1], data: Float32Array.of(0.1) }],
      ['n', counter],
      ['scalar', floats([], [2])],
      ['none', floats([0, 3], [])],
    ]);
    expect(metadata).toEqual(
      new Map([
        ['__proto__', 'x'],
        ['7', '"'],
      ]),
    );
  });

  test('has entries as torch.save lays them, and names nothing but what tensors are made of', () => {
    const files = unzipSync(written);
    expect(Object.keys(files)).toEqual([
      'archive/data.pkl',
      'archive/byteorder',
      ...[0, 1, 2, 3, 4, 5].map((key) => `archive/data/${key}`),
      'archive/version',
      'archive/refocus.json',
    ]);
    const globals = new Set<string>();
    unpickle(files['archive/data.pkl'], 0, {
      persistent: torchHost.persistent,
      global(module, name) {
        globals.add(`${module}.${name}`);
        return torchHost.global(module, name);
      },
    });
    expect([...globals].sort()).toEqual([
      'collections.OrderedDict',
      'torch.BFloat16Storage',
      'torch.DoubleStorage',
      'torch.FloatStorage',
      'torch.LongStorage',
      'torch._utils._rebuild_tensor_v2',
    ]);
    for (const key of [0, 1, 2, 3, 4]) {
      const header = Buffer.from(written).indexOf(`archive/data/${key}FB`);
      const view = new DataView(written.buffer, header - 30);
      expect((header + view.getUint16(26, true) + view.getUint16(28, true)) % 64).toBe(0);
    }
  });

  test('the same input gives the same bytes, whenever it is written', () => {
    const one = new Map([['a', floats([1], [1])]]);
    expect(writePyTorch(one)).toEqual(writePyTorch(one));
    const date = new DataView(writePyTorch(one).buffer).getUint16(12, true);
    expect(date).toBe((1 << 5) | 1); // the first of January 1980
  });

  test('whatever the names, shapes and values', async () => {
    const entry = fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.array(fc.nat(3), { maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1 }), async (entries) => {
        const tensors: StateDict = new Map(
          entries.map(([name, shape]) => {
            const count = shape.reduce((a, b) => a * b, 1);
            return [
              name,
              floats(
                shape,
                Float32Array.from({ length: count }, (_, i) => i / 3),
              ),
            ];
          }),
        );
        const opened = await readBytes(
          writePyTorch(new Map([['first', floats([1], [0])], ...tensors])),
          'a.pth',
        );
        for (const [name, tensor] of tensors) expect(opened.tensors.get(name)).toEqual(tensor);
      }),
      { numRuns: 30 },
    );
  });

  test('a type that PyTorch has no storage for is refused by name', () => {
    const odd: StateTensor = { dtype: 'U16', shape: [1], data: Uint16Array.of(1) };
    expect(() => writePyTorch(new Map([['odd', odd]]))).toThrow(UserError);
    expect(() => writePyTorch(new Map([['odd', odd]]))).toThrow(
      /"odd" is of the type U16.*write safetensors/,
    );
  });

  test('comes from the same weights as the safetensors file', async () => {
    const fresh: StateDict = new Map([['a.weight', floats([2], [0.1, 6])]]);
    const pth = await readBytes(writeWeights(original, fresh, { format: 'pth' }), 'a.pth');
    const safe = await readBytes(writeSafetensors(restoreTensors(original, fresh)), 'a.safetensors');
    expect(new Map([...pth.tensors].sort())).toEqual(new Map([...safe.tensors].sort()));
    expect([pth.prefix, pth.metadata]).toEqual(['module.', new Map([['format', 'pt']])]);
  });
});
