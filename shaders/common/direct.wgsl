// A convolution of any groups, dilation, stride, padding and kernel (src/ops/conv/direct.ts).
struct Sizes {
  N: u32,
  H: u32,
  W: u32,
  OH: u32,
  OW: u32,
  CI: u32,
  CIP: u32, // padded
  CO: u32,
  COP: u32,
  CI_GROUP: u32, // input channels a group
  CIG: u32, // the same as stored in w (padded in a dense weight)
  CO_GROUP: u32,
  KH: u32,
  KW: u32,
  SH: u32,
  SW: u32,
  PH: u32,
  PW: u32,
  DH: u32,
  DW: u32,
  SPLITS: u32, // of backward_weight
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
