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

/** Of a network that was made for photographs; those for CIFAR's images take them whole. */
export function usualResizing(publisher: string, arch: string): UsualResizing {
  if (publisher !== 'torchvision') return { interpolation: 'bicubic', cropPct: MOST };
  if (arch.startsWith('convnext')) return { interpolation: 'bilinear', cropPct: 224 / 236 };
  return { interpolation: arch.startsWith('efficientnet') ? 'bicubic' : 'bilinear', cropPct: MOST };
}
