/**
 * How publishers resize the images that they test their networks on: a filter, and the middle that is cut out as a share of
 * the resized image's shorter side. Sources: the `Weights` of torchvision's models (IMAGENET1K_V1), the default configurations
 * in timm's model files, and the evaluation transform of facebookresearch/ConvNeXt.
 */
export interface UsualResizing {
  interpolation: 'bilinear' | 'bicubic';
  cropPct: number;
}

/** 224 pixels out of 256. */
const MOST = 0.875;

/** torchvision's networks that see another share. */
const SHARES: [architecture: RegExp, cropPct: number][] = [
  [/^convnext_small$/, 224 / 230],
  [/^convnext_base$/, 224 / 232],
  [/^convnext/, 224 / 236],
  [/^(mnasnet0_75|mnasnet1_3|shufflenet_v2_x1_5|shufflenet_v2_x2_0)$/, 224 / 232],
  [/^efficientnet_b1$/, 240 / 256],
  [/^efficientnet_(b2|v2_s)$/, 1],
  [/^efficientnet_b3$/, 300 / 320],
  [/^efficientnet_b4$/, 380 / 384],
];

/** Of a network that was made for photographs; those for CIFAR's images take them whole. */
export function usualResizing(publisher: string, arch: string): UsualResizing {
  if (publisher !== 'torchvision') return { interpolation: 'bicubic', cropPct: MOST };
  const [, cropPct] = SHARES.find(([architecture]) => architecture.test(arch)) ?? [undefined, MOST];
  return { interpolation: arch.startsWith('efficientnet_b') ? 'bicubic' : 'bilinear', cropPct };
}
