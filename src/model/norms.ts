import type { Model } from './model';

/** Arguments of torch.nn.BatchNorm2d. */
export interface NormArguments {
  eps: number;
  momentum: number;
}

/** A model with those arguments in all of its batch norms. */
export const withNorms = (model: Model, { eps, momentum }: NormArguments): Model => ({
  ...model,
  layers: model.layers.map((layer) => (layer.kind === 'batch_norm' ? { ...layer, eps, momentum } : layer)),
});
