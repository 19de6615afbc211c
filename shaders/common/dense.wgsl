// A dense convolution cut into blocks (src/ops/conv-dense.ts).
struct Sizes {
  N: u32,
  H: u32,
  W: u32,
  OH: u32,
  OW: u32,
  CI: u32,
  CI4: u32, // vec4s of channels
  CO4: u32,
  RUN: u32, // rows a block
  TILES: u32, // blocks across the image
  RUNS: u32, // blocks down it
  SPLITS: u32, // of backward_weight
  BACKWARD_COEF: u32, // see common/gradient
  GROUPS: u32, // of QUADS vec4s of channels
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
