/**
 * Refocus as a library, `refocus`: the engine in a worker of its own, and what one says to it. The engine for the calling
 * thread is `refocus/engine` (engine.ts), for Node `refocus/node` (node.ts): who imports this file alone loads neither.
 */
export type * from './api';
export { UserError } from './errors';
export type { Dtype, StateDict, StateTensor, TensorData } from './io/tensor';
export { readWeights, type WeightsFile } from './io/weights-file';
export { writeWeights } from './io/write-weights';
export { type Architecture, type Builder, buildModel, type ModelOptions, type Value } from './model/builder';
export type { Model } from './model/model';
export { architectureNames } from './model/zoo';
export { networkFields, parseNetworkOptions } from './run/network-options';
export { defaultSettings, parseSettings, settingFields, settingNames } from './train/settings';
export { type ConnectOptions, connectEngine, type EngineConnection } from './worker/client';
