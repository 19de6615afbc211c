/** The built-in network: a narrow MobileNetV2 for 32 x 32 images, trained by this engine on the built-in images. */
export const BUILTIN_NETWORK = { arch: 'mobilenet_v2', width: 0.25, stemStride: 1, classes: 10 } as const;

/** Its weights, a file of public/. */
export const BUILTIN_WEIGHTS = 'builtin-mobilenet_v2.safetensors';
