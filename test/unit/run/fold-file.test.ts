import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writePyTorch } from '../../../src/io/pytorch/write';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { readWeights } from '../../../src/io/weights-file';
import { initialState } from '../../../src/model/init';
import { numbersOf } from '../../../src/model/state';
import { createModel } from '../../../src/model/zoo';
import { foldFile } from '../../../src/run/fold-file';
import { mergeFile } from '../../../src/run/merge-file';
import { readMetadata, withMetadata } from '../../../src/run/metadata';

const repvgg = { num_blocks: [1, 2, 1, 1], width_multiplier: [0.1, 0.05, 0.03, 0.02] };
const mobileone = {
  num_blocks_per_stage: [1, 1, 2, 1],
  width_multipliers: [0.5, 0.2, 0.1, 0.1],
  use_se: true,
};
const replknet = { layers: [1, 1, 1, 1], channels: [4, 4, 4, 8], large_kernel_sizes: [13, 9, 7, 7] };
const slak = { depths: [1, 1, 1, 1], dims: [4, 4, 4, 8], kernel_size: [15, 9, 7, 7, 5] };

type Write = (tensors: StateDict, metadata?: ReadonlyMap<string, string>) => Uint8Array<ArrayBuffer>;

/** A file of an architecture with random numbers, each name behind `module.`. */
function fileOf(
  arch: string,
  kwargs: Record<string, unknown>,
  write: Write = writeSafetensors,
  metadata = new Map(),
) {
  const model = createModel(arch, { classes: 3, kwargs });
  const state: StateDict = new Map([...initialState(model, 3)].map(([name, t]) => [`module.${name}`, t]));
  return { path: 'net', blob: new Blob([write(state, metadata)]) };
}

test.each([
  ['repvgg_a0', repvgg, { deploy: true }, 6, writeSafetensors],
  ['mobileone_s0', mobileone, { inference_mode: true }, 11, writePyTorch],
  ['replknet_tiny', replknet, { small_kernel_merged: true }, 4, writeSafetensors],
  ['slak_atto', slak, { small_kernel_merged: true }, 4, writePyTorch],
] as const)('%s comes out in its deployed form', async (arch, kwargs, deployed, blocks, write) => {
  const folded = (await foldFile([fileOf(arch, kwargs, write)]))!;
  expect(folded).toMatchObject({ blocks, format: write === writePyTorch ? 'pth' : 'safetensors' });
  expect(folded.error).toBeLessThan(1e-6);
  const { tensors, prefix } = await readWeights({ path: 'folded', blob: new Blob([folded.bytes]) });
  expect(prefix).toBe('module.');
  const { state } = createModel(arch, { classes: 3, kwargs: { ...kwargs, ...deployed } });
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual(
    state.map(({ name, shape }) => [name, shape]),
  );
});

test('a file that says what it is says that it is deployed', async () => {
  const metadata = withMetadata(new Map([['by', 'hand']]), {
    version: 1,
    architecture: 'repvgg_a0',
    args: repvgg,
  });
  const { bytes } = (await foldFile([fileOf('repvgg_a0', repvgg, writeSafetensors, metadata)]))!;
  const read = await readWeights({ path: 'folded', blob: new Blob([bytes]) });
  expect(read.metadata.get('by')).toBe('hand');
  expect(readMetadata(read.metadata)?.args).toEqual({ ...repvgg, deploy: true });
});

test('f16 kernels come out as f32, since their sums may lie beyond f16', async () => {
  const state = [...initialState(createModel('repvgg_a0', { classes: 3, kwargs: repvgg }), 3)];
  const half: StateDict = new Map(state.map(([name, t]) => [name, { ...t, dtype: 'F16' }]));
  const blob = new Blob([writeSafetensors(half, new Map())]);
  const { bytes } = (await foldFile([{ path: 'net', blob }]))!;
  const { tensors } = await readWeights({ path: 'folded', blob: new Blob([bytes]) });
  expect(tensors.get('stage0.rbr_reparam.weight')?.dtype).toBe('F32');
  expect(tensors.get('linear.weight')?.dtype).toBe('F16');
});

test('merging a file without maps folds it; with neither there is nothing to merge', async () => {
  expect(await mergeFile([fileOf('repvgg_a0', repvgg)])).toMatchObject({ maps: 0, blocks: 6 });
  const plain = fileOf('repvgg_a0', { ...repvgg, deploy: true });
  expect(await foldFile([plain])).toBeUndefined();
  await expect(mergeFile([plain])).rejects.toThrow(UserError);
  await expect(mergeFile([plain])).rejects.toThrow(/no refocusing maps, and no blocks of branches/);
});

test.each([
  ['repvgg_a0', repvgg, 'stage1.0.rbr_reparam.weight'],
  ['mobileone_s0', mobileone, 'stage0.reparam_conv.weight'],
] as const)(
  'the batch norms of %s may have another eps, which is as so much more variance',
  async (arch, kwargs, kernel) => {
    const state: StateDict = new Map(initialState(createModel(arch, { classes: 3, kwargs }), 3));
    const raised: StateDict = new Map(
      [...state].map(([name, t]) => {
        if (!name.endsWith('.running_var')) return [name, t];
        return [
          name,
          floats(
            t.shape,
            Float32Array.from(numbersOf(t), (v) => v + 0.25),
          ),
        ];
      }),
    );
    const merged = async (tensors: StateDict, eps?: number) => {
      const blob = new Blob([writeSafetensors(tensors, new Map())]);
      const { bytes, notes } = await mergeFile([{ path: 'net', blob }], {}, eps);
      const read = await readWeights({ path: 'merged', blob: new Blob([bytes]) });
      return { notes, weight: Array.from(numbersOf(read.tensors.get(kernel)!)) };
    };
    const [other, usual] = [await merged(state, 0.25), await merged(raised, 0)];
    expect(other).toEqual(usual);
    expect(other.weight).not.toEqual((await merged(state)).weight);
    expect((await merged(state)).notes).toEqual([expect.stringContaining('--bn-eps')]);
  },
);

test('maps are merged first, and the branches are told of', async () => {
  const model = createModel('repvgg_a0', { classes: 3, kwargs: repvgg });
  const state: StateDict = new Map(initialState(model, 3));
  const [o, i] = state.get('stage0.rbr_dense.conv.weight')!.shape;
  state.set(
    'stage0.rbr_dense.conv.convmap.weight',
    floats([o * i, 1, 3, 3], new Float32Array(o * i * 9).fill(0.1)),
  );
  const blob = new Blob([writeSafetensors(state, new Map())]);
  const network = { arch: 'repvgg_a0', kwargs: repvgg };
  const merged = await mergeFile([{ path: 'net', blob }], network);
  expect(merged).toMatchObject({ maps: 1, blocks: 0 });
  expect(merged.notes.at(-1)).toMatch(/It has 6 blocks of branches.*merge the new file to fold them/);
  const again = { path: 'merged', blob: new Blob([merged.bytes]) };
  expect(await mergeFile([again], network)).toMatchObject({ maps: 0, blocks: 6 });
});

test('numbers that are none are not written', async () => {
  const { tensors } = await readWeights(fileOf('repvgg_a0', repvgg));
  (tensors.get('stage0.rbr_dense.bn.running_var')!.data as Float32Array)[0] = -1;
  const blob = new Blob([writeSafetensors(tensors, new Map())]);
  await expect(foldFile([{ path: 'net', blob }])).rejects.toThrow(UserError);
});
