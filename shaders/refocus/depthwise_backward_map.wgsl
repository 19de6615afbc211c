// dmap[u, v, m, o] = sum_{a, b} dw[a, b, o] * basis[a + u - K/2, b + v - K/2, m] for a depthwise basis, layouts as in refocus/depthwise_forward.
// A thread keeps a kernel's gradient of one vec4 of o in registers and makes ROWS_PER_TILE rows of the maps of one of
// SPLITS splits of planes m; it writes in step with its neighbours.
// With all taps of a map in registers, a layer of 960 channels and a 3 x 3 kernel took 45 ms in the place of 306 on
// SwiftShader (docs/performance.md).
//#import common/depthwise_map
//#import common/depthwise_window
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dmap: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.SPLITS * TILES * sizes.C4) { return; }
  let o = index % sizes.C4;
  let top = index / sizes.C4 % TILES * ROWS_PER_TILE;
  let split = index / (sizes.C4 * TILES);
  let planes_per_split = (sizes.C + sizes.SPLITS - 1u) / sizes.SPLITS;
  var gradient: array<vec4<f32>, KH * KW>;
  //#unroll
  for (var a = 0u; a < KH; a++) {
    //#unroll
    for (var b = 0u; b < KW; b++) { gradient[a * KW + b] = dw[(a * KW + b) * sizes.C4 + o]; }
  }
  for (var m = split * planes_per_split; m < min((split + 1u) * planes_per_split, sizes.C); m++) {
    let window = window_of(m, top);
    //#unroll
    for (var u = 0u; u < ROWS_PER_TILE; u++) {
      //#unroll
      for (var v = 0u; v < K; v++) {
        var sum = vec4(0.0);
        //#unroll
        for (var a = 0u; a < KH; a++) {
          //#unroll
          for (var b = 0u; b < KW; b++) {
            const column = clamp(b + v, HALF, KW + HALF - 1u) - HALF;
            if (column + HALF == b + v) { sum += window[(a + u) * KW + column] * gradient[a * KW + b]; }
          }
        }
        if (top + u < K) { dmap[(((top + u) * K + v) * sizes.C + m) * sizes.C4 + o] = sum; }
      }
    }
  }
}
