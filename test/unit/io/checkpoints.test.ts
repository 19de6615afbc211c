import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import type { NamedBlob } from '../../../src/io/blob';
import type { StateTensor } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';

const FOLDER = 'test/fixtures/checkpoints';
type Entries = Record<string, { dtype: string; shape: number[]; values: (number | string)[] }>;
const expected: Record<string, Record<string, Entries>> = JSON.parse(
  readFileSync(`${FOLDER}/expected.json`, 'utf8'),
);

/** A fixture's file, or the files of a folder. */
function filesOf(name: string): NamedBlob[] {
  const paths = name === 'shards' ? readdirSync(`${FOLDER}/shards`).map((file) => `shards/${file}`) : [name];
  return paths.map((path) => ({ path, blob: new Blob([readFileSync(`${FOLDER}/${path}`)]) }));
}
const open = (name: string) => openWeights(...filesOf(name));

function expectTensor(name: string, tensor: StateTensor | undefined, want: Entries[string]): void {
  expect([name, tensor?.dtype, tensor?.shape]).toEqual([name, want.dtype, want.shape]);
  const values = want.values.map((v) => (typeof v === 'string' ? BigInt(v) : v));
  expect([name, Array.from<number | bigint>(tensor!.data as Iterable<number | bigint>)]).toEqual([
    name,
    values,
  ]);
}

describe('what training scripts save', () => {
  test.each(Object.keys(expected))('%s: every copy, under its name, in its order', async (file) => {
    const { copies } = await open(file);
    expect(copies.map(({ name }) => name)).toEqual(Object.keys(expected[file]));
    for (const copy of copies) {
      const want = expected[file][copy.name];
      const tensors = await copy.read(new Set(Object.keys(want)));
      expect([...tensors.keys()]).toEqual(Object.keys(want));
      for (const [name, tensor] of tensors) expectTensor(name, tensor, want[name]);
    }
  });

  test('shapes and types are known before an element is read', async () => {
    const [copy] = (await open('formats.pt')).copies;
    for (const [name, { dtype, shape }] of Object.entries(expected['formats.pt']['']))
      expect(copy.entries.get(name)).toMatchObject({ dtype, shape });
  });

  test('an infinity in a metric is no reason to refuse weights, until it is asked for', async () => {
    const [copy] = (await open('lightning.ckpt')).copies;
    expect(copy.entries.has('best_accuracy.min_value')).toBe(true);
    await expect(copy.read()).rejects.toThrow(
      'lightning.ckpt: tensor "best_accuracy.min_value" holds -Infinity at element 0;',
    );
  });
});

describe('refused, each in a sentence of its own', () => {
  const cases: [string, RegExp][] = [
    [
      'quantised.pt',
      /^quantised\.pt has a tensor "conv\.weight" that is quantised; save the float network's/,
    ],
    ['quantised-linear.pt', /has a tensor "0\._packed_params\._packed_params" that is quantised;/],
    ['sparse.pt', /has a tensor "w" that is sparse; call to_dense\(\)/],
    ['complex.pt', /has a tensor "w" that is of the type ComplexFloatStorage; save it as float32/],
    ['odd.pt', /has a tensor "odd" that is made by the Python object __main__\.Odd, which is not run;/],
    ['rebuilt.pt', /has a tensor "rebuilt" that is made by the Python object __main__\.rebuild, which/],
    [
      'whole.pt',
      /^whole\.pt holds a whole network, an object of the Python class __main__\.Net, .* torch\.save\(model\.state_dict\(\), path\)/,
    ],
    ['whole-inside.pt', /holds a whole network, an object of the Python class __main__\.Net,/],
    ['numpy.pt', /holds NumPy arrays instead of tensors; .*torch\.from_numpy/],
    ['numpy-inside.pt', /holds NumPy arrays instead of tensors; .*torch\.from_numpy/],
    ['script.pt', /^script\.pt is a TorchScript program, .*torch\.jit\.load\(path\)\.state_dict\(\)/],
    ['plain.pkl', /^plain\.pkl is a pickle that torch\.save did not write; .*torch\.save\(/],
    ['numpy.pkl', /^numpy\.pkl is a pickle that torch\.save did not write/],
    ['arrays.npz', /^arrays\.npz is an archive of NumPy arrays .*torch\.from_numpy/],
    ['array.npy', /^array\.npy is a NumPy array; .*torch\.from_numpy/],
  ];
  test.each(cases)('%s', async (file, sentence) => {
    await expect(open(file)).rejects.toThrow(UserError);
    await expect(open(file)).rejects.toThrow(sentence);
  });

  test('every fixture is either read or refused here', () => {
    const all = readdirSync(FOLDER).filter((name) => name !== 'expected.json');
    expect([...Object.keys(expected), ...cases.map(([file]) => file)].sort()).toEqual(all.sort());
  });
});
