// partial[s, a, b, m] = sum_{o4 = s mod SPLITS, u, v} dot(dw[a + K/2 - u, b + K/2 - v, o4], map[u, v, m, o4]) for a depthwise basis,
// layouts as in refocus/depthwise_forward; refocus/finish adds the runs and the identity term.
// One plane m of one run a thread. Runs are interleaved so that the SPLITS neighbours of a plane read neighbouring vec4s of the map.
const WG: u32 = 64u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const K: u32 = 1u;

struct Sizes {
  C: u32,
  C4: u32,
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= sizes.SPLITS * sizes.C4 * 4u) { return; }
  let split = index % sizes.SPLITS;
  let m = index / sizes.SPLITS;
  var sums: array<f32, KH * KW>;
  if (m < sizes.C) {
    for (var o = split; o < sizes.C4; o += sizes.SPLITS) {
      for (var u = 0u; u < K; u++) {
        for (var v = 0u; v < K; v++) {
          let w = map[((u * K + v) * sizes.C + m) * sizes.C4 + o];
          for (var a = 0u; a < KH; a++) {
            let row = a + K / 2u - u;
            if (row >= KH) { continue; }
            for (var b = 0u; b < KW; b++) {
              let column = b + K / 2u - v;
              if (column < KW) { sums[a * KW + b] += dot(w, dw[(row * KW + column) * sizes.C4 + o]); }
            }
          }
        }
      }
    }
  }
  for (var t = 0u; t < KH * KW; t++) { partial[(split * KH * KW + t) * sizes.C4 * 4u + m] = sums[t]; }
}
