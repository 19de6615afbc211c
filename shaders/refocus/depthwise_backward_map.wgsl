// dmap[u, v, m, o] = sum_{a, b} dw[a, b, o] * basis[a + u - K/2, b + v - K/2, m] for a depthwise basis, layouts as in refocus/depthwise_forward.
// A thread makes the K * K values of one m and one vec4 of o: it reads a kernel's gradient once and writes in step with its neighbours.
const WG: u32 = 64u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const K: u32 = 1u;

struct Sizes {
  C: u32,
  C4: u32,
}

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dmap: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= sizes.C * sizes.C4) { return; }
  let o = index % sizes.C4;
  let m = index / sizes.C4;
  var sums: array<vec4<f32>, K * K>;
  for (var row = 0u; row < KH; row++) {
    for (var column = 0u; column < KW; column++) {
      let value = basis[(row * KW + column) * sizes.C4 * 4u + m];
      for (var u = 0u; u < K; u++) {
        let a = row + K / 2u - u;
        if (a >= KH) { continue; }
        for (var v = 0u; v < K; v++) {
          let b = column + K / 2u - v;
          if (b < KW) { sums[u * K + v] += value * dw[(a * KW + b) * sizes.C4 + o]; }
        }
      }
    }
  }
  for (var t = 0u; t < K * K; t++) { dmap[(t * sizes.C + m) * sizes.C4 + o] = sums[t]; }
}
