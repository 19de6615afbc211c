import * as v from 'valibot';
import { UserError } from '../errors';
import type { StateDict, StateTensor } from '../io/tensor';
import { checkState } from '../model/state';
import { createModel } from '../model/zoo';
import { attributesOf, count, sgdOf } from './attributes';
import { type Expectation, expectationsOf } from './expectations';
import { type ModelRun, modelOf } from './model-run';

export interface ModelCase {
  run: Omit<ModelRun, 'path'>;
  method: 'finetune' | 'refocus';
  expectations: Expectation[];
}

const Attributes = v.strictObject({
  arch: v.string(),
  kwargs: v.record(v.string(), v.unknown()),
  image_size: count,
  classes: count,
  method: v.picklist(['finetune', 'refocus']),
  optimizer: v.looseObject({}),
  steps: v.pipe(count, v.maxValue(1000)),
});

/**
 * Reads a golden case of a whole network.
 * @throws UserError where the case is none
 */
export async function modelCaseOf(
  attrs: unknown,
  tensors: StateDict,
  metadata: ReadonlyMap<string, string>,
): Promise<ModelCase> {
  const a = attributesOf('a model', Attributes, attrs);
  const model = createModel(a.arch, { classes: a.classes, kwargs: a.kwargs });
  const { x, target } = batchOf(tensors, a.image_size, a.classes);
  const state: StateDict = new Map();
  for (const [key, tensor] of tensors) {
    if (key.startsWith('state.')) state.set(key.slice('state.'.length), tensor);
    else if (!/^(in\.(x|target)$|grad\.|out\.)/.test(key))
      throw new UserError(`tensor ${key} is none of in.x, in.target, state, grad, out`);
  }
  const run = { model, optimizer: sgdOf('optimizer', a.optimizer), steps: a.steps, state, x, target };
  const trained = modelOf({ model, path: a.method === 'finetune' ? 'plain' : 'dense' });
  checkState(trained, state, 'the state of the case');
  const expectations = await expectationsOf(tensors, metadata, { trained, state, steps: a.steps });
  return { run, method: a.method, expectations };
}

function batchOf(tensors: StateDict, size: number, classes: number): { x: StateTensor; target: StateTensor } {
  const x = tensors.get('in.x');
  const target = tensors.get('in.target');
  if (x?.shape.length !== 4 || target?.shape.length !== 1)
    throw new UserError('in.x [images, channels, height, width] or in.target [images] is missing');
  const [n, , h, w] = x.shape;
  if (h !== size || w !== size) throw new UserError(`image_size is ${size}, but in.x is [${x.shape}]`);
  if (target.shape[0] !== n) throw new UserError(`in.x holds ${n} images, in.target ${target.shape[0]}`);
  if (Array.prototype.some.call(target.data, (t) => !(t >= 0 && t < classes)))
    throw new UserError(`in.target holds something else than classes from 0 to ${classes - 1}`);
  return { x, target };
}
