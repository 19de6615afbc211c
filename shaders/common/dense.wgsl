// A dense convolution cut into blocks (src/ops/conv/dense.ts).
struct Sizes {
  N: u32,
  H: u32,
  W: u32,
  OH: u32,
  OW: u32,
  CI: u32,
  CI4: u32, // vec4s of channels
  CO4: u32,
  Y_PITCH: u32, // of a row where y lies, or y_raw
  Y_START: u32, // of that row, where its own begin
  ROWS_PER_BLOCK: u32,
  BLOCKS_ACROSS: u32, // the image
  BLOCKS_DOWN: u32,
  SPLITS: u32, // of backward_weight
  BACKWARD_COEF: u32, // see common/gradient
  CHANNEL_THREADS: u32, // threads that share a pixel's vec4s of channels
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
