// A pooling of x [N, H, W, C4] to y [N, OH, OW, C4], vec4s of channels (src/ops/pool.ts).
struct Sizes {
  N: u32,
  H: u32,
  W: u32,
  OH: u32,
  OW: u32,
  C4: u32, // vec4s of channels
  Y_PITCH: u32, // of a row where y lies
  Y_START: u32, // of that row, where y's begin
  KH: u32,
  KW: u32,
  SH: u32,
  SW: u32,
  PH: u32, // above and left of the image
  PW: u32,
  PADDED_H: u32, // with the padding on both sides
  PADDED_W: u32,
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
