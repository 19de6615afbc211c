import { expect, test } from 'vitest';
import { corrupted, corruptions } from '../../../src/data/corruptions';
import type { ImagesInMemory } from '../../../src/data/types';
import { buildModel } from '../../../src/model/builder';
import { initialState } from '../../../src/model/init';
import type { Model } from '../../../src/model/model';
import type { AnalysisContext } from '../../../src/run/analyse/context';
import { analyseCorruptions, corruptionNames } from '../../../src/run/analyse/corruptions';
import { analysisNumbers } from '../../../src/run/analyse/options';
import { evaluateNetwork } from '../../../src/train/evaluate';
import { fakeGpu } from '../fake-gpu';

const modelOf = (stride: number): Model =>
  buildModel({ name: 'small', classes: 3 }, (net, x) =>
    net.head('fc', net.globalAvgPool(net.batchNorm('bn', net.conv('stem', x, 8, 3, { stride }), 'relu'))),
  );

const images: ImagesInMemory = {
  ...{ count: 6, height: 8, width: 8, classes: ['a', 'b', 'c'] },
  pixels: Uint8Array.from({ length: 6 * 8 * 8 * 3 }, (_, i) => (i * 37) % 256),
  labels: Uint16Array.from({ length: 6 }, (_, i) => i % 3),
};
const normalisation = { mean: [0, 0, 0], std: [1, 1, 1] };

/** A device on which what is told right depends on the numbers of the network and on the images, and that counts sessions. */
function device() {
  let passes = 0;
  const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => (a * 31 + b) % 65_521, 7);
  const gpu = fakeGpu((dispatches) => {
    const of = (shader: string) => dispatches.find((d) => d.shader === shader)!;
    const stem = dispatches.find(({ label }) => label.includes('stem'))!;
    passes++;
    const { buffer, byteOffset } = of('loss/cross_entropy').bytes('metrics');
    const right = (sum(stem.bytes('w')) + sum(of('data/gather').bytes('images'))) % 7;
    new Float32Array(buffer, byteOffset, 4).set([1, right, 6, 0]);
  });
  let sessions = 0;
  const create = gpu.device.createBuffer.bind(gpu.device);
  gpu.device.createBuffer = (options) => {
    if (options.label?.includes('parameters')) sessions++;
    return create(options);
  };
  return { gpu, counts: () => ({ passes, sessions }) };
}

const subject = (name: string, seed: number, model: Model) => ({
  ...{ name, file: name, model },
  state: initialState(model, seed),
});

const contextOf = (gpu: AnalysisContext['gpu'], subjects: AnalysisContext['subjects']): AnalysisContext => ({
  ...{ gpu, subjects, images, normalisation, goOn() {} },
  numbers: analysisNumbers({ analysisSeed: 3 }),
});

test('one session sees every set once, and tells of each network what a session of its own would', async () => {
  const model = modelOf(1);
  const subjects = [subject('a', 1, model), subject('b', 2, model), subject('c', 3, model)];
  const { gpu, counts } = device();
  const result = await analyseCorruptions(contextOf(gpu, subjects));
  expect(counts()).toEqual({ passes: 3 * 16, sessions: 1 });
  expect(gpu.leaks()).toEqual([]);

  const accuracy = async (set: ImagesInMemory, i: number) =>
    (await evaluateNetwork(device().gpu, model, subjects[i].state, set, normalisation)).figures.accuracy;
  for (const i of subjects.keys()) {
    expect(result.clean[i]).toBe(await accuracy(images, i));
    for (const [k, name] of corruptionNames.entries())
      for (const level of corruptions[name].strengths.keys())
        expect(result.kinds[k].accuracy[i][level], `${name} ${level}`).toBe(
          await accuracy(corrupted(images, name, level, 3), i),
        );
  }
  // the figures can tell networks and sets apart
  expect(new Set(result.kinds.flatMap(({ accuracy }) => accuracy.flat())).size).toBeGreaterThan(4);
});

test('networks that compute otherwise with the same numbers have a session of their own', async () => {
  const subjects = [subject('a', 1, modelOf(1)), subject('b', 1, modelOf(2)), subject('c', 2, modelOf(1))];
  const { gpu, counts } = device();
  const { clean } = await analyseCorruptions(contextOf(gpu, subjects));
  expect(counts()).toEqual({ passes: 3 * 16, sessions: 2 });
  const alone = await analyseCorruptions(contextOf(device().gpu, [subjects[2]]));
  expect(clean[2]).toBe(alone.clean[0]);
});
