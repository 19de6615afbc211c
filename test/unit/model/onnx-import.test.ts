import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rewriteOnnx } from '../../../src/io/onnx/rewrite';
import { floats, type StateDict } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';
import { withHead } from '../../../src/model/heads';
import { convolutions, type Model } from '../../../src/model/model';
import { type Imported, importOnnx } from '../../../src/model/onnx/import';
import { editsFor } from '../../../src/model/onnx/write';
import { createModel } from '../../../src/model/zoo';
import { difference, onnxFixture, runOnnx, someImages } from '../../onnx';
import { evaluateModel } from '../../reference/model';
import { signature } from '../../signature';

const folder = new URL('../../fixtures/onnx', import.meta.url);
const fixtures = readdirSync(folder).map((file) => file.replace('.onnx.gz', ''));
const images = someImages([1, 3, 32, 32]);

async function imported(bytes: Uint8Array<ArrayBuffer>, path = 'net.onnx') {
  const { onnx } = await openWeights({ path, blob: new Blob([bytes]) });
  return { graph: onnx!.graph, ...importOnnx(onnx!.graph) };
}

const written = (
  bytes: Uint8Array,
  file: Imported & Awaited<ReturnType<typeof imported>>,
  state: StateDict,
  classes = file.model.head.classes,
) => rewriteOnnx(bytes, editsFor(file.graph, file, { state, classes }));

/** Every number of the file a little larger, each tensor by another share; what is in no file stays. */
const grown = (state: StateDict, model: Model): StateDict =>
  new Map(
    model.state.map(({ name, role }, i) => {
      const { shape, data } = state.get(name)!;
      const share = role === 'constant' ? 1 : 1 + ((i % 7) + 1) / 100;
      return [
        name,
        floats(
          shape,
          (data as Float32Array<ArrayBuffer>).map((x) => x * share),
        ),
      ];
    }),
  );

test.each(fixtures)('%s answers as onnxruntime does, before and after its numbers change', async (name) => {
  const bytes = onnxFixture(name);
  const file = await imported(bytes);
  const { model, state } = file;
  expect(difference(await runOnnx(bytes, images), evaluateModel(model, state, images).data)).toBeLessThan(
    1e-4,
  );
  expect(Buffer.compare(written(bytes, file, state), bytes)).toBe(0);
  // half of the fixtures: the others differ in what is read, not in what is written
  if (!/dynamic/.test(name)) return;
  const changed = grown(state, model);
  const out = written(bytes, file, changed);
  expect(difference(await runOnnx(out, images), evaluateModel(model, changed, images).data)).toBeLessThan(
    1e-4,
  );
});

test.each([
  ['resnet10-opset13-folded', true],
  ['squeezenet1_1-opset13-folded', true],
  ['resnet10-opset11-dynamic', false],
  ['convnext-opset13-folded', false],
  ['group_norms-opset11-dynamic', false],
])('whether %s has lost its batch norms is said: %s', async (name, hasLost) => {
  const { notes } = await imported(onnxFixture(name));
  expect(notes.some((note) => note.includes('with fresh ones (norms)'))).toBe(hasLost);
});

const CONVNEXT = [
  [24, 48, 1],
  [48, null, 2],
];

test.each<[fixture: string, arch: string, kwargs?: Record<string, unknown>]>([
  ['mobilenet_v2', 'mobilenet_v2'],
  ['mobilenet_v3_small', 'mobilenet_v3_small'],
  ['resnet10', 'resnet', { block: 'BasicBlock', layers: [1, 1, 1, 1] }],
  ['shufflenet_v2_x0_5', 'shufflenet_v2_x0_5'],
  ['densenet_tiny', 'densenet', { growth_rate: 8, block_config: [2, 3], num_init_features: 16 }],
  ['efficientnet_b0', 'efficientnet_b0'],
  ['squeezenet1_1', 'squeezenet1_1'],
  ['convnext', 'convnext', { blocks: CONVNEXT }],
  ['mnasnet0_5', 'mnasnet0_5'],
])(
  'an exported %s is layer by layer the network of the zoo, under its names',
  async (fixture, arch, kwargs) => {
    const { model, graph } = await imported(onnxFixture(`${fixture}-opset17-unfolded_constants-dynamic`));
    const zoo = createModel(arch, { classes: 10, kwargs });
    expect(signature(model)).toEqual(signature(zoo));
    expect(model.state.map((entry) => entry.name).sort()).toEqual(
      zoo.state.map((entry) => entry.name).sort(),
    );
    expect(graph.opset).toBe(17);
  },
);

test.each([
  ['mobilenet_v2', 'mobilenet_v2'],
  ['resnet10', 'resnet', { block: 'BasicBlock', layers: [1, 1, 1, 1] }],
  ['shufflenet_v2_x0_5', 'shufflenet_v2_x0_5'],
])(
  'the convolutions of a folded %s, whose tensors are numbered, have their names',
  async (name, arch, kwargs?) => {
    const { model, state } = await imported(onnxFixture(`${name}-opset13-folded`));
    const zoo = createModel(arch, { classes: 10, kwargs });
    expect(convolutions(model).map((conv) => conv.name)).toEqual(convolutions(zoo).map((conv) => conv.name));
    expect([...state.keys()].filter((key) => key.includes('onnx::'))).toEqual([]);
  },
);

test.each(['mobilenet_v2-opset13-folded', 'squeezenet1_1-opset13-folded', 'convnext-opset13-folded'])(
  'a new head changes the head of %s and the shape of its output',
  async (name) => {
    const bytes = onnxFixture(name);
    const file = await imported(bytes);
    const model = withHead(file.model, 3);
    const { name: head } = model.head;
    const state = new Map(file.state);
    for (const entry of model.state.filter((e) => e.name.startsWith(`${head}.`)))
      state.set(
        entry.name,
        floats(
          entry.shape,
          (state.get(entry.name)!.data as Float32Array).slice(
            0,
            entry.shape.reduce((a, b) => a * b),
          ),
        ),
      );
    const out = written(bytes, file, state, 3);
    const logits = await runOnnx(out, images);
    expect(logits.length).toBe(3);
    // three logits may all be small beside what they are sums of
    expect(difference(logits, evaluateModel(model, state, images).data)).toBeLessThan(1e-3);
    const again = await imported(out);
    expect(again.model.head.classes).toBe(3);
    expect(again.graph.outputs[0].shape?.at(-1)).toBe(3);
  },
);
