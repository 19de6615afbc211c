// What a factored layer's true squared norm trace(m Gram m^T) has over the |m|^2 that optim/square_sums counts, in parts:
// partial[FIRST + index] = dot(m[t, i, o4], (m Gram)[t, i, o4] - m[t, i, o4]), m being the gradient [TAPS, IP, O4] in the
// place of M. One vec4 of output channels at one tap a thread.
//#import common/gram
//#import common/global_index
const WG = 64u;

struct Sizes {
  FIRST: u32,
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
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.TAPS * sizes.IP * sizes.O4) { return; }
  partial[sizes.FIRST + index] = dot(m[index], times_gram(index / (sizes.O4 * sizes.IP), index / sizes.O4 % sizes.IP, index % sizes.O4) - m[index]);
}
