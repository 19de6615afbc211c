// out = m Gram: the gradient of a weight, [TAPS, IP, O4] vec4s, times a constant matrix over its taps (see common/gram): what
// fine-tuning with a preconditioner follows (src/ops/refocus/precondition.ts). One vec4 of output channels at one tap a thread.
//#import common/gram
//#import common/global_index
const WG = 64u;

struct Sizes {
  TAPS: u32,
  ROW: u32,
  I: u32,
  IP: u32,
  O: u32,
  O4: u32,
  P: u32,
}

@group(0) @binding(0) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> gram: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.TAPS * sizes.IP * sizes.O4) { return; }
  out[index] = times_gram(index / (sizes.O4 * sizes.IP), index / sizes.O4 % sizes.IP, index % sizes.O4);
}
