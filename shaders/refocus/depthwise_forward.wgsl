// The refocusing of a depthwise basis as a skinny GEMM over the rows (m, u, v) of its im2col, cut into SPLITS runs of planes m:
// partial[s, a, b, o] = sum_{m in run s, u, v} basis[a + u - K/2, b + v - K/2, m] * map[u, v, m, o]
// basis: [KH, KW, 4 * C4]; map: [K, K, C, C4] vec4s over o. refocus/finish adds the runs and the identity term.
// A thread makes ROWS rows of the kernels of one vec4 of channels: it reads each vec4 of the map once, in step with its neighbours,
// for ROWS * KW taps in registers; the basis values, the same for all threads of a run, come from the cache.
const WG: u32 = 64u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const K: u32 = 1u;
const ROWS: u32 = 1u; // kernel rows a thread

struct Sizes {
  C: u32,
  C4: u32,
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

const TILES = (KH + ROWS - 1u) / ROWS;
// what the taps of a tile see of a plane, with a border of zeros in place of tests in the inner loop
const WH = ROWS + K - 1u;
const WW = KW + K - 1u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= sizes.SPLITS * TILES * sizes.C4) { return; }
  let o = index % sizes.C4;
  let top = index / sizes.C4 % TILES * ROWS;
  let split = index / (sizes.C4 * TILES);
  let run = (sizes.C + sizes.SPLITS - 1u) / sizes.SPLITS;
  var sums: array<vec4<f32>, ROWS * KW>;
  var window: array<f32, WH * WW>;
  for (var m = split * run; m < min((split + 1u) * run, sizes.C); m++) {
    for (var a = 0u; a < WH; a++) {
      for (var b = 0u; b < WW; b++) {
        let row = top + a - K / 2u;
        let column = b - K / 2u;
        var value = 0.0;
        if (row < KH && column < KW) { value = basis[(row * KW + column) * sizes.C4 * 4u + m]; }
        window[a * WW + b] = value;
      }
    }
    for (var u = 0u; u < K; u++) {
      for (var v = 0u; v < K; v++) {
        let w = map[((u * K + v) * sizes.C + m) * sizes.C4 + o];
        for (var a = 0u; a < ROWS; a++) {
          for (var b = 0u; b < KW; b++) { sums[a * KW + b] += window[(a + u) * WW + b + v] * w; }
        }
      }
    }
  }
  for (var a = 0u; a < min(ROWS, KH - top); a++) {
    for (var b = 0u; b < KW; b++) {
      partial[((split * KH + top + a) * KW + b) * sizes.C4 + o] = sums[a * KW + b];
    }
  }
}
