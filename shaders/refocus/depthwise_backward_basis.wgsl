// partial[s, a, b, m] = sum_{o4 = s mod SPLITS, u, v} dot(dw[a + K/2 - u, b + K/2 - v, o4], map[u, v, m, o4]) for a depthwise basis,
// layouts as in refocus/depthwise_forward; refocus/finish adds the splits and the identity term.
// A thread makes ROWS_PER_TILE rows of one plane m of one split. Splits are interleaved so that the SPLITS neighbours of a
// plane read neighbouring vec4s of the map.
//#import common/depthwise_map
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.SPLITS * TILES * sizes.C4 * 4u) { return; }
  let split = index % sizes.SPLITS;
  let top = index / sizes.SPLITS % TILES * ROWS_PER_TILE;
  let m = index / (sizes.SPLITS * TILES);
  var sums: array<f32, ROWS_PER_TILE * KW>;
  for (var o = split; o < sizes.C4 && m < sizes.C; o += sizes.SPLITS) {
    // The rows of the gradient under the tile. Rows above the kernel have wrapped to huge numbers:
    // `row < KH` leaves out those on both sides.
    var window: array<vec4<f32>, WINDOW_ROWS * KW>;
    //#unroll
    for (var a = 0u; a < WINDOW_ROWS; a++) {
      let row = top + a - HALF;
      //#unroll
      for (var b = 0u; b < KW; b++) {
        window[a * KW + b] = select(vec4(0.0), dw[(min(row, KH - 1u) * KW + b) * sizes.C4 + o], row < KH);
      }
    }
    // The gradient of a correlation takes the map turned by 180 degrees.
    //#unroll
    for (var u = 0u; u < K; u++) {
      //#unroll
      for (var v = 0u; v < K; v++) {
        let w = map[(((K - 1u - u) * K + K - 1u - v) * sizes.C + m) * sizes.C4 + o];
        //#unroll
        for (var a = 0u; a < ROWS_PER_TILE; a++) {
          //#unroll
          for (var b = 0u; b < KW; b++) {
            const column = clamp(b + v, HALF, KW + HALF - 1u) - HALF;
            if (column + HALF == b + v) { sums[a * KW + b] += dot(w, window[(a + u) * KW + column]); }
          }
        }
      }
    }
  }
  for (var a = 0u; a < min(ROWS_PER_TILE, KH - top); a++) {
    for (var b = 0u; b < KW; b++) {
      partial[((split * KH + top + a) * KW + b) * sizes.C4 * 4u + m] = sums[a * KW + b];
    }
  }
}
