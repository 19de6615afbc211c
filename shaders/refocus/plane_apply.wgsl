// One k x k map a plane (a dense basis, P = 1): out[a, b, q] = IDENTITY * x[a, b, q] + sum_{u, v} x[(a, b) + s * (u - K/2, v - K/2), q] * map[u, v, q]
// with s = 1: x is the basis and out the weight; s = -1 (TRANSPOSED): x is the weight's gradient and out the basis'.
// x, out: [KH, KW, Q4] vec4s over the planes q = (i, o) as they lie in memory; map: [K, K, Q4]. One vec4 of planes at one tap a thread.
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required
const IDENTITY: bool = true; //#required
const TRANSPOSED: bool = false; //#required

struct Sizes {
  Q4: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= KH * KW * sizes.Q4) { return; }
  let q = index % sizes.Q4;
  let b = index / sizes.Q4 % KW;
  let a = index / (sizes.Q4 * KW);
  var sum = vec4(0.0);
  if (IDENTITY) { sum = x[index]; }
  for (var u = 0u; u < K; u++) {
    let row = select(a + u - K / 2u, a + K / 2u - u, TRANSPOSED);
    if (row >= KH) { continue; }
    for (var v = 0u; v < K; v++) {
      let column = select(b + v - K / 2u, b + K / 2u - v, TRANSPOSED);
      if (column >= KW) { continue; }
      sum += x[(row * KW + column) * sizes.Q4 + q] * map[(u * K + v) * sizes.Q4 + q];
    }
  }
  out[index] = sum;
}
