import { test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import type { StateDict } from '../../src/io/tensor';
import { readWeights } from '../../src/io/weights-file';
import { createModel } from '../../src/model/zoo';
import { foldFile } from '../../src/run/fold-file';
import { runModel } from '../../src/verify/model-run';
import { loadGolden } from '../goldens';
import { expectClose, gpu } from './harness';

test.each([
  ['repvgg', { deploy: true }],
  ['mobileone', { inference_mode: true }],
  ['replknet', { small_kernel_merged: true }],
  ['slak', { small_kernel_merged: true }],
])('%s, folded, answers as its branches do in PyTorch', async (name, deployed) => {
  const { tensors, metadata } = readSafetensors(await loadGolden(`models/${name}.finetune`), name);
  const { arch, classes, kwargs, optimizer } = JSON.parse(metadata.get('attrs')!);
  const state: StateDict = new Map(
    [...tensors].flatMap(([key, t]) => (key.startsWith('state.') ? [[key.slice('state.'.length), t]] : [])),
  );
  const { bytes } = (await foldFile([{ path: name, blob: new Blob([writeSafetensors(state, new Map())]) }]))!;
  const folded = await readWeights({ path: 'folded', blob: new Blob([bytes]) });
  const results = await runModel(await gpu(), {
    model: createModel(arch, { classes, kwargs: { ...kwargs, ...deployed } }),
    path: 'plain',
    optimizer: { nesterov: false, weightDecay: optimizer.weight_decay, ...optimizer },
    steps: 0,
    state: folded.tensors,
    x: tensors.get('in.x')!,
    target: tensors.get('in.target')!,
  });
  const expected = tensors.get('out.logits_eval')!.data as Float32Array;
  expectClose(results.get('out.logits_eval') as Float32Array, expected, 1e-4, 'logits');
});
