// A depthwise convolution cut into blocks (src/ops/conv/depthwise.ts).
struct Sizes {
  N: u32,
  H: u32,
  W: u32,
  OH: u32,
  OW: u32,
  C4: u32, // vec4s of channels
  ROWS_PER_BLOCK: u32, // in depthwise/backward_input steps, of SH rows each
  BLOCKS_ACROSS: u32, // the image
  BLOCKS_DOWN: u32,
  SPLITS: u32, // of backward_weight
  BACKWARD_COEF: u32, // see common/gradient
  CHANNELS: u32,
  ADDEND_C4: u32, // vec4s of a row of addend, of which backward_input may take the first
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
