// wt = IDENTITY * basis + a * start + m Gram: the refocusing W_b + (a W_r0 + M B^T) B of a frozen basis with im2col B and Gram = B^T B,
// in the K^2 numbers a kernel that the SGD family needs (src/ops/refocus/factored.ts). One vec4 of output channels at one
// tap a thread.
// basis, start, m, wt: HWIO [TAPS, IP, O4] vec4s; gram: see common/gram; a: one number, shared by all layers.
// Taken where SGD trains the map over a frozen basis and the form holds fewer numbers (chooseRefocusPath of
// src/ops/refocus/dense.ts): a step of MobileNetV2 takes 1,434 ms with it and 1,405 without RefConv (docs/benchmark.md).
//#import common/gram
//#import common/global_index
const WG = 64u;
const IDENTITY: bool = true; //#required
const START: bool = false;

struct Sizes {
  TAPS: u32,
  ROW: u32,
  I: u32,
  IP: u32,
  O: u32,
  O4: u32,
  P: u32,
}

@group(0) @binding(0) var<storage, read> basis: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> start: array<vec4<f32>>; //#if START
@group(0) @binding(2) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> gram: array<f32>;
@group(0) @binding(4) var<storage, read> a: array<f32>;
@group(0) @binding(5) var<storage, read_write> wt: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.TAPS * sizes.IP * sizes.O4) { return; }
  var sum = times_gram(index / (sizes.O4 * sizes.IP), index / sizes.O4 % sizes.IP, index % sizes.O4);
  if (START) { sum += a[0] * start[index]; }
  if (IDENTITY) { sum += basis[index]; }
  wt[index] = sum;
}
