import * as v from 'valibot';
import { type Argument, count, define, dropRate, stemStride, widthMultiplier } from './define';
import { mobilenetV2Layers, type Stage } from './mobilenet-v2-layers';

const STAGES: Stage[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** torchvision's `inverted_residual_setting`: the stages. */
const stages: Argument<Stage[]> = {
  schema: v.pipe(
    v.array(v.tuple([count(64), count(4096), count(64), count(2)])),
    v.minLength(1),
    v.maxLength(64),
  ),
  expects: 'a list of [expansion, channels, blocks, stride]',
  fallback: STAGES,
};

/** MobileNetV2 (Sandler et al. 2018), torchvision's names. */
export const mobilenetV2 = define(
  'mobilenet_v2',
  {
    width_mult: widthMultiplier,
    inverted_residual_setting: stages,
    dropout: dropRate(0.2),
    stem_stride: stemStride,
  },
  mobilenetV2Layers,
);
