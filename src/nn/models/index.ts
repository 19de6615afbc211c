import { UserError } from '../../errors';
import type { Architecture } from '../net';
import { resnetCifar } from './resnet-cifar';

export interface ArchitectureOptions {
  classes: number;
  /** width multiplier */
  width?: number;
  /** stride of the stem, where the architecture has 2 */
  stemStride?: 1 | 2;
  /** the constructor's other arguments, torchvision's names */
  kwargs?: Record<string, unknown>;
}

/** Every architecture by its name; PyTorch's (torchvision's) names. */
const ARCHITECTURES: Record<string, (o: ArchitectureOptions) => Architecture> = {
  resnet20_cifar: (o) => resnetCifar(20, o.classes),
  resnet32_cifar: (o) => resnetCifar(32, o.classes),
  resnet44_cifar: (o) => resnetCifar(44, o.classes),
  resnet56_cifar: (o) => resnetCifar(56, o.classes),
};

export const architectureNames = (): string[] => Object.keys(ARCHITECTURES);

/** The architecture of that name. Throws a UserError with the names there are. */
export function architecture(name: string, options: ArchitectureOptions): Architecture {
  if (!Object.hasOwn(ARCHITECTURES, name)) {
    throw new UserError(
      `There is no architecture "${name}": choose one of ${architectureNames().join(', ')}.`,
    );
  }
  return ARCHITECTURES[name](options);
}
