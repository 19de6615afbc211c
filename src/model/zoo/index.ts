import { UserError } from '../../errors';
import type { Model } from '../model';
import { convnexts } from './convnext';
import { convnextsV2 } from './convnext-v2';
import type { ArchitectureOptions, Definition } from './define';
import { densenets } from './densenet';
import { dwDetector } from './dw-detector';
import { dwUnet } from './dw-unet';
import { efficientnets } from './efficientnet';
import { efficientnetLite0 } from './efficientnet-lite';
import { efficientnetV2S } from './efficientnet-v2';
import { fasternets } from './fasternet';
import { ghostnets } from './ghostnet';
import { hornets } from './hornet';
import { dsCnn, resnet8 } from './mlperf-tiny';
import { mnasnets } from './mnasnet';
import { mobilenetV1 } from './mobilenet-v1';
import { mobilenetV2 } from './mobilenet-v2';
import { mobilenetV3Large, mobilenetV3Small } from './mobilenet-v3';
import { mobileones } from './mobileone';
import { regnets } from './regnet';
import { replknets } from './replknet';
import { repvggs } from './repvgg';
import { resnets } from './resnet';
import { cifarResnets } from './resnet-cifar';
import { shufflenets } from './shufflenet-v2';
import { slaks } from './slak';
import { squeezenets } from './squeezenet';
import { vggs } from './vgg';

export type { ArchitectureOptions } from './define';

/** Every architecture, under its publisher's name: torchvision's where it has the network. */
const DEFINITIONS: Definition[] = [
  ...cifarResnets,
  mobilenetV1,
  mobilenetV2,
  mobilenetV3Small,
  mobilenetV3Large,
  ...shufflenets,
  ...densenets,
  ...convnexts,
  ...convnextsV2,
  ...resnets,
  ...mnasnets,
  ...efficientnets,
  efficientnetLite0,
  efficientnetV2S,
  ...regnets,
  ...squeezenets,
  ...vggs,
  ...repvggs,
  ...mobileones,
  ...ghostnets,
  ...fasternets,
  ...hornets,
  ...replknets,
  ...slaks,
  resnet8,
  dsCnn,
];

/** Networks of ours for other tasks than classification, which nobody publishes weights of. */
const DENSE: Definition[] = [dwUnet, dwDetector];

/** Those that tell the class of an image. */
export const architectureNames = (): string[] => DEFINITIONS.map(({ name }) => name);

/**
 * The model of the architecture of that name, without numbers.
 * @throws UserError with the names there are, or with the option that it does not take
 */
export function createModel(name: string, options: ArchitectureOptions = {}): Model {
  const definition = [...DEFINITIONS, ...DENSE].find((d) => d.name === name);
  if (!definition) {
    throw new UserError(
      `There is no architecture "${name}": choose one of ${architectureNames().join(', ')}; or, for segmentation and detection, ${DENSE.map((d) => d.name).join(', ')}.`,
    );
  }
  return definition.build(options);
}

/** Whether there is an architecture of that name, for whatever task. */
export const isArchitecture = (name: string): boolean =>
  [...DEFINITIONS, ...DENSE].some((definition) => definition.name === name);
