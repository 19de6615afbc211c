import { UserError } from '../errors';
import { describe } from '../model/describe';
import type { Architecture } from '../model/net';
import { isRefConv, type RefConvOptions } from '../model/refconv';
import type { TrainSettings } from './settings';

/** The run's RefConv, with `auto` resolved: depthwise where the network has such layers, else all spatial ones. */
export function refconvOptions(
  architecture: Architecture,
  name: string,
  size: readonly [number, number],
  s: TrainSettings,
): RefConvOptions | undefined {
  if (s.method !== 'refocus' && s.method !== 'joint') return undefined;
  if (!s.identity && s.mapInit === 'zeros') {
    throw new UserError(
      'Without the identity term a zero start makes every kernel zero: start the maps from Kaiming.',
    );
  }
  const net = describe(architecture, size);
  const options = (layers: RefConvOptions['layers']): RefConvOptions => ({
    layers,
    mapKernel: s.mapKernel,
    identity: s.identity,
    trainBasis: s.method === 'joint',
    path: s.path === 'auto' && s.optimizer !== 'sgd' ? 'dense' : s.path,
    startsNonZero: s.mapInit !== 'zeros',
  });
  if (s.path === 'factored' && (s.optimizer !== 'sgd' || s.method === 'joint')) {
    throw new UserError(
      'The factored path is exact only for SGD on a frozen basis: choose path "dense" or "auto".',
    );
  }
  const depthwise = net.convs.some((c) => isRefConv(c, options('depthwise')));
  const chosen = options(s.layers === 'auto' ? (depthwise ? 'depthwise' : 'spatial') : s.layers);
  if (Array.isArray(chosen.layers)) {
    const unknown = chosen.layers.find((name) => !net.convs.some((c) => c.name === name));
    if (unknown !== undefined)
      throw new UserError(`${name} has no convolution "${unknown}": see its names with inspect.`);
  }
  if (!net.convs.some((c) => isRefConv(c, chosen))) {
    throw new UserError(
      `${name} has no ${String(chosen.layers)} convolution to refocus: choose other layers.`,
    );
  }
  return chosen;
}
