/**
 * Refocus as a library, `refocus`: the engine in a worker of its own, and what one says to it. The engine for the calling
 * thread is `refocus/engine` (engine.ts), for Node `refocus/node` (node.ts): who imports this file alone loads neither.
 */
export type * from './api';
export type { DuplicateReport, PartReport } from './data/report';
export type { SkippedFile } from './data/types';
export { UserError } from './errors';
export type { Tuning } from './graph/tuning';
export type { NamedBlob } from './io/blob';
export type { Dtype, StateDict, StateTensor, TensorData } from './io/tensor';
export { readWeights, type WeightsFile } from './io/weights-file';
export { writeWeights } from './io/write-weights';
export {
  type Architecture,
  type Builder,
  buildModel,
  type ConvOptions,
  type ModelOptions,
  type PoolOptions,
  type Value,
} from './model/builder';
export type { Layout } from './model/layout';
export type {
  ConvLayer,
  Head,
  Init,
  Layer,
  LayerKind,
  LinearLayer,
  Model,
  ModelInput,
  Pair,
  RefConv,
  StateEntry,
} from './model/model';
export { architectureNames } from './model/zoo';
export {
  type NamedNetwork,
  type NetworkField,
  type NetworkOptionName,
  networkFields,
  parseNetworkOptions,
} from './run/network-options';
export type { PlanOptions } from './run/plan-summary';
export type { DataSummary } from './run/report';
export type { TunedStep } from './run/tune';
export type { Tunings } from './run/tunings';
export type { DeviceRates, ProfileMethod } from './runtime/profiler';
export type { Accepts, Choice, Field, NumberRange } from './train/field';
export {
  defaultSettings,
  parseSettings,
  type SettingField,
  type SettingGroup,
  type SettingName,
  settingFields,
  settingGroups,
  settingNames,
} from './train/settings';
export { type ConnectOptions, connectEngine, type EngineConnection } from './worker/client';
