import { UserError } from '../errors';
import { product } from '../graph/tensor';
import type { StateDict, StateTensor } from '../io/tensor';
import { pack, plainLayout, weightLayout } from './layout';
import type { Model } from './model';
import { matrixCount, PRECONDITION, preconditionedLayers, preconditionerOf } from './precondition';
import { basisRole, geometryOf, mapsOf, REFCONV, type RefConvLayer, refconvs } from './refconv';
import { gramOf, planesOf, refocus } from './refocus-math';

/** Where tensors go: a session. Keys are `role:name`, contents in the engine's layout. */
export interface TensorWriter {
  write(key: string, data: Float32Array<ArrayBuffer>): void;
}

/** The elements of a tensor that `checkState` has seen. */
export const numbersOf = ({ data }: StateTensor): ArrayLike<number> => data as ArrayLike<number>;

/**
 * Checks that a state fits the model: every entry there in its shape, and nothing else but PyTorch's counters. Maps
 * may be absent.
 * @param file what the messages call the state
 * @throws UserError that names the file, the tensor and both shapes
 */
export function checkState(model: Model, state: StateDict, file: string): void {
  const advice = 'choose the architecture, width and number of classes that it was trained with';
  const required = new Map(model.state.filter((e) => e.init !== 'map').map((e) => [e.name, e.shape]));
  const known = new Map([...model.state, ...mapsOf(model)].map(({ name, shape }) => [name, shape]));
  for (const [name, { shape, data }] of state) {
    const expected = known.get(name);
    if (!expected) continue;
    if (shape.join() !== expected.join()) {
      throw new UserError(
        `${file}: tensor ${name} is ${show(shape)}, but ${show(expected)} in the network: ${advice}.`,
      );
    }
    if (data.length > 0 && !(data instanceof Float32Array)) {
      throw new UserError(
        `${file}: tensor ${name} holds integers, as a quantised network's, whose scales are elsewhere: save the network's weights as floats.`,
      );
    }
  }
  const missing = [...required].filter(([name]) => !state.has(name));
  if (missing.length > 0) throw new UserError(`${file} lacks ${list(missing)}: ${advice}.`);
  const extra = [...state].filter(([name]) => !known.has(name) && !/(^|\.)num_batches_tracked$/.test(name));
  if (extra.length === 0) return;
  const more = extra.map(([name, { shape }]) => [name, shape] as const);
  const maps = extra.every(([name]) => name.endsWith(REFCONV.map('')));
  throw new UserError(
    `${file} holds ${list(more)}, which the network does not have: ${maps ? 'merge its maps first' : advice}.`,
  );
}

const show = (shape: readonly number[]): string => shape.join(' x ') || 'a single number';

function list(tensors: readonly (readonly [string, readonly number[]])[]): string {
  const [name, shape] = tensors[0];
  const rest = tensors.length > 1 ? ` and ${tensors.length - 1} more` : '';
  return `tensor ${name.slice(0, 100)} (${show(shape)})${rest}`;
}

/**
 * Writes a state into a session that a plan of `model` runs in. A RefConv without a map in the state starts from zero:
 * from the very function that was loaded. Factored layers get their constants and start at a = 1, M = 0.
 * @throws UserError as `checkState` does
 */
export function loadState(session: TensorWriter, model: Model, state: StateDict, file = 'The network'): void {
  checkState(model, state, file);
  for (const { name, role, layout } of model.state) {
    const tensor = state.get(name);
    const data = tensor ? pack(numbersOf(tensor), layout) : new Float32Array(product(layout.padded));
    session.write(`${role}:${name}`, data);
  }
  const factored = factoredLayers(model);
  if (factored.length > 0) session.write(`parameter:${REFCONV.scale}`, Float32Array.of(1, 0, 0, 0));
  for (const layer of factored) loadFactored(session, layer, basisRole(model, layer), state, file);
  for (const layer of preconditionedLayers(model)) {
    const taps = layer.shape[2] * layer.shape[3];
    const matrix = preconditionerOf(layer, numbersOf(state.get(`${layer.name}.weight`)!));
    const layout = plainLayout([matrixCount(layer), taps, taps]);
    session.write(`constant:${PRECONDITION.matrix(layer.name)}`, pack(matrix, layout));
  }
}

/** RefConvs that train in their factored form. */
export const factoredLayers = (model: Model): RefConvLayer[] =>
  refconvs(model).filter(({ refconv }) => refconv.path === 'factored');

function loadFactored(
  session: TensorWriter,
  layer: RefConvLayer,
  role: 'state' | 'constant',
  state: StateDict,
  file: string,
): void {
  const { name, shape, groups } = layer;
  const geometry = geometryOf(layer);
  const { mapGroups, taps } = planesOf(geometry);
  const basis = numbersOf(state.get(`${name}.weight`)!);
  const map = state.get(REFCONV.map(name));
  const layout = weightLayout(shape, groups);
  const gram = pack(gramOf(basis, geometry), plainLayout([mapGroups, taps, taps]));
  session.write(`${role}:${REFCONV.gram(name)}`, gram);
  session.write(`parameter:${REFCONV.factor(name)}`, new Float32Array(product(layout.padded)));
  if (layer.refconv.startsNonZero) {
    const start = map ? refocus(basis, numbersOf(map), geometry, false) : new Float32Array(product(shape));
    session.write(`${role}:${REFCONV.start(name)}`, pack(start, layout));
  } else if (map && Array.prototype.some.call(map.data, (w) => w !== 0)) {
    throw new UserError(`${file}: ${name} has a map already: merge it first, or start from that map.`);
  }
}
