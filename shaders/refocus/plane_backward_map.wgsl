// dmap[u, v, q] = sum_{a, b} dw[a, b, q] * basis[a + u - K/2, b + v - K/2, q] where each plane q has a map of its own.
// Layouts as in refocus/plane_apply. One vec4 of planes at one (u, v) a thread.
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required

struct Sizes {
  Q4: u32,
}

@group(0) @binding(0) var<storage, read> basis: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dmap: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= K * K * sizes.Q4) { return; }
  let q = index % sizes.Q4;
  let v = index / sizes.Q4 % K;
  let u = index / (sizes.Q4 * K);
  var sum = vec4(0.0);
  for (var a = 0u; a < KH; a++) {
    let row = a + u - K / 2u;
    if (row >= KH) { continue; }
    for (var b = 0u; b < KW; b++) {
      let column = b + v - K / 2u;
      if (column < KW) { sum += dw[(a * KW + b) * sizes.Q4 + q] * basis[(row * KW + column) * sizes.Q4 + q]; }
    }
  }
  dmap[index] = sum;
}
