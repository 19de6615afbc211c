/**
 * Proves in seconds, without a browser, that a checkout is sane: `npm run tiny`. The types hold; settings, weights, plans
 * and shaders come out; and where Dawn finds a driver a tiny network trains, merges and proves its merge. With `--train`
 * a missing driver is a failure.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shaders } from '../src/gpu/wgsl/shaders';
import { buildModel } from '../src/model/builder';
import { createNodeEngine, probeDawn } from '../src/node';
import { loadNetwork } from '../src/run/network-source';
import { stepProgram } from '../src/run/plan-summary';
import { decideSettings } from '../src/train/decide';
import { parseSettings } from '../src/train/settings';

/** A stem, a depthwise convolution that is refocused, and a head: a little of what every network has. */
const model = buildModel({ name: 'tiny', classes: 10 }, (net, x) => {
  let y = net.batchNorm('bn1', net.conv('conv1', x, 8, 3, { stride: 2 }), 'relu');
  y = net.batchNorm('bn2', net.conv('conv2', y, 8, 3, { stride: 2, groups: 8 }), 'relu');
  return net.head('fc', net.globalAvgPool(y));
});

const settings = parseSettings({ epochs: 1, batch: '16', limit: 96, lr: '0.05' });

/** What is checked, in words, and what came out; throws where it is wrong. */
const checks: Record<string, () => Promise<string> | string> = {
  async types() {
    const tsc = join(import.meta.dirname, '../node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '--noEmit']).catch(({ stdout }) => {
      throw new Error(stdout);
    });
    return 'no complaint';
  },

  async weights() {
    const { state, file } = await loadNetwork({ kind: 'builtin' });
    return `${file}, ${state.size} tensors`;
  },

  async shaders() {
    await shaders.load();
    const decided = decideSettings(settings, { input: model.input, images: 96 });
    const { plan } = stepProgram({ model, settings: decided, height: 32, width: 32 });
    const texts = plan.dispatches.map(({ shader, constants, halves }) =>
      shaders.compose(shader, constants, halves),
    );
    return `${texts.length} dispatches, ${new Set(texts.map(({ code }) => code)).size} texts`;
  },

  async training() {
    if ((await probeDawn()) === 'none') {
      if (process.argv.includes('--train'))
        throw new Error('Dawn finds no driver; install one (Debian: `apt-get install mesa-vulkan-drivers`).');
      return 'left out: Dawn finds no driver here';
    }
    const engine = await createNodeEngine();
    const { report, metrics } = await engine.train({
      model: { kind: 'model', model },
      train: { kind: 'builtin', split: 'train' },
      settings,
    });
    if (!report.proof.ok) throw new Error(`the merge is not proven: ${JSON.stringify(report.proof)}`);
    if (!metrics.every(({ loss }) => Number.isFinite(loss))) throw new Error('the loss is no number');
    return `${report.steps} steps, merge proven, on ${report.adapter}`;
  },
};

const started = performance.now();
const outcomes = await Promise.all(
  Object.entries(checks).map(async ([name, check]) => {
    try {
      console.log(`${name}: ${await check()}`);
      return true;
    } catch (error) {
      console.error(`${name}: FAILED\n${error instanceof Error ? error.stack : error}`);
      return false;
    }
  }),
);
const sane = outcomes.every(Boolean);
console.log(`${sane ? 'sane' : 'NOT SANE'}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
process.exit(sane ? 0 : 1);
