// The refocusing of a depthwise basis as a skinny GEMM over the rows (m, u, v) of its im2col, cut into SPLITS splits of
// planes m: partial[s, a, b, o] = sum_{m in split s, u, v} basis[a + u - K/2, b + v - K/2, m] * map[u, v, m, o]
// basis: [KH, KW, 4 * C4]; map: [K, K, C, C4] vec4s over o. refocus/finish adds the splits and the identity term.
// A thread makes ROWS_PER_TILE rows of the kernels of one vec4 of channels: it reads each vec4 of the map once, in step
// with its neighbours, for ROWS_PER_TILE * KW taps in registers; the basis values, the same for all threads of a split,
// come from the cache.
// With all taps of a map in registers, a layer of 960 channels and a 3 x 3 kernel took 76 ms in the place of 356 on
// SwiftShader (docs/performance.md).
//#import common/depthwise_map
//#import common/depthwise_window
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.SPLITS * TILES * sizes.C4) { return; }
  let o = index % sizes.C4;
  let top = index / sizes.C4 % TILES * ROWS_PER_TILE;
  let split = index / (sizes.C4 * TILES);
  let planes_per_split = (sizes.C + sizes.SPLITS - 1u) / sizes.SPLITS;
  var sums: array<vec4<f32>, ROWS_PER_TILE * KW>;
  for (var m = split * planes_per_split; m < min((split + 1u) * planes_per_split, sizes.C); m++) {
    let window = window_of(m, top);
    //#unroll
    for (var u = 0u; u < K; u++) {
      //#unroll
      for (var v = 0u; v < K; v++) {
        let w = map[((u * K + v) * sizes.C + m) * sizes.C4 + o];
        //#unroll
        for (var a = 0u; a < ROWS_PER_TILE; a++) {
          //#unroll
          for (var b = 0u; b < KW; b++) {
            const column = clamp(b + v, HALF, KW + HALF - 1u) - HALF;
            if (column + HALF == b + v) { sums[a * KW + b] += window[(a + u) * KW + column] * w; }
          }
        }
      }
    }
  }
  for (var a = 0u; a < min(ROWS_PER_TILE, KH - top); a++) {
    for (var b = 0u; b < KW; b++) {
      partial[((split * KH + top + a) * KW + b) * sizes.C4 + o] = sums[a * KW + b];
    }
  }
}
