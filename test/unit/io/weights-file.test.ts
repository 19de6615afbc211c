import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict, type StateTensor } from '../../../src/io/tensor';
import { writeWeights } from '../../../src/io/write-weights';
import { readBytes } from './read-bytes';

const counter: StateTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) };

const state = (prefix = ''): StateDict =>
  new Map([
    [`${prefix}conv.weight`, floats([2, 1, 1, 1], [1, 2])],
    [`${prefix}bn.num_batches_tracked`, counter],
    [`${prefix}fc.weight`, floats([1, 2], [3, 4])],
  ]);

const file = (tensors: StateDict, metadata?: Map<string, string>) =>
  readBytes(writeSafetensors(tensors, metadata), 'net.safetensors');

describe('the prefix that all names share', () => {
  test.each(['module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.', 'module.module.'])(
    '%s is taken off, and put back where the weights are written',
    async (prefix) => {
      const read = await file(state(prefix));
      expect(read.prefix).toBe(prefix);
      expect([...read.tensors.keys()].sort()).toEqual([...state().keys()].sort());
      const written = readSafetensors(writeWeights(read, new Map()), 'x').tensors;
      expect([...written.keys()].sort()).toEqual([...state(prefix).keys()].sort());
    },
  );

  test('that one name lacks, or that is a whole name, stays', async () => {
    const odd = state('module.').set('extra', floats([1], [1]));
    expect(await file(odd)).toMatchObject({ prefix: '' });
    expect((await file(odd)).tensors.has('module.fc.weight')).toBe(true);
    expect(await file(new Map([['module.', floats([1], [1])]]))).toMatchObject({ prefix: '' });
  });
});

test('all of many tensors are read', async () => {
  const many: StateDict = new Map(Array.from({ length: 70 }, (_, i) => [`${i}.weight`, floats([1], [i])]));
  expect((await file(many)).tensors).toEqual(many);
});

describe('a file of weights that is none', () => {
  const damaged = (tensor: StateTensor) => writeSafetensors(new Map([['a', tensor]]));
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /^net is empty/],
    ['no tensor', writeSafetensors(new Map()), /^net holds no tensor/],
    ['a NaN', damaged(floats([3], [1, 2, Number.NaN])), /^net: tensor "a" holds NaN at element 2/],
    ['an infinity', damaged(floats([1], [Number.NEGATIVE_INFINITY])), /holds -Infinity at element 0/],
  ])('%s', async (_, bytes, message) => {
    await expect(readBytes(bytes, 'net')).rejects.toThrow(UserError);
    await expect(readBytes(bytes, 'net')).rejects.toThrow(message);
  });
});
