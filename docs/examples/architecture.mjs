/**
 * An architecture of one's own: layers under PyTorch's names, trained from random numbers, its depthwise convolutions
 * refocused, and merged under the same names. Weights of it from PyTorch would come as `files` in the place of `seed`.
 */
import { buildModel, parseSettings } from 'refocus';
import { createNodeEngine } from 'refocus/node';

const model = buildModel(
  {
    name: 'separable',
    classes: 10,
    input: { channels: 3, size: 32, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  },
  (net, x) => {
    let y = net.batchNorm('stem.1', net.conv('stem.0', x, 16, 3), 'relu');
    for (const [name, channels] of [
      ['block1', 32],
      ['block2', 64],
    ]) {
      y = net.conv(`${name}.depthwise`, y, y.channels, 3, { stride: 2, groups: y.channels });
      y = net.batchNorm(`${name}.norm1`, y, 'relu');
      y = net.batchNorm(`${name}.norm2`, net.conv(`${name}.pointwise`, y, channels, 1), 'relu');
    }
    return net.head('classifier', net.globalAvgPool(y));
  },
);

// a model is plain data: in a page it goes to the worker as it is
const engine = await createNodeEngine();
const { report, merged } = await engine.train(
  {
    model: { kind: 'model', model, seed: 1 },
    train: { kind: 'builtin', split: 'train' },
    settings: parseSettings({ method: 'joint', epochs: 1, batch: 16, limit: 200, lr: 0.05 }),
  },
  (event) => {
    if (event.type === 'steps') for (const { step, loss } of event.points) console.log(`${step}: ${loss}`);
  },
);
const names = model.state.map(({ name }) => name);
console.log(`${names.length} tensors (${names[0]}, ...), ${merged.length} bytes; proven: ${report.proof.ok}`);
