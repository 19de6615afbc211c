import { UserError } from '../../errors';
import type { Model } from '../model';
import { convnexts } from './convnext';
import type { ArchitectureOptions, Definition } from './define';
import { densenets } from './densenet';
import { efficientnetB0 } from './efficientnet';
import { mnasnet05 } from './mnasnet';
import { mobilenetV2 } from './mobilenet-v2';
import { mobilenetV3Large, mobilenetV3Small } from './mobilenet-v3';
import { resnets } from './resnet';
import { resnetCifar } from './resnet-cifar';
import { shufflenets } from './shufflenet-v2';
import { squeezenet11 } from './squeezenet';

export type { ArchitectureOptions } from './define';

/** Every architecture, under PyTorch's (torchvision's) name. */
const DEFINITIONS: Definition[] = [
  ...[20, 32, 44, 56].map(resnetCifar),
  mobilenetV2,
  mobilenetV3Small,
  mobilenetV3Large,
  ...shufflenets,
  ...densenets,
  ...convnexts,
  ...resnets,
  mnasnet05,
  efficientnetB0,
  squeezenet11,
];

export const architectureNames = (): string[] => DEFINITIONS.map(({ name }) => name);

/**
 * The model of the architecture of that name, without numbers.
 * @throws UserError with the names there are, or with the option that it does not take
 */
export function createModel(name: string, options: ArchitectureOptions = {}): Model {
  const definition = DEFINITIONS.find((d) => d.name === name);
  if (!definition) {
    throw new UserError(
      `There is no architecture "${name}": choose one of ${architectureNames().join(', ')}.`,
    );
  }
  return definition.build(options);
}
