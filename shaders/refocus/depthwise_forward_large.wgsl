// wt[a, b, o] = IDENTITY * basis[a, b, o] + sum_{m, u, v} basis[a + u - K/2, b + v - K/2, m] * map[u, v, m, o] for a depthwise
// basis of any size. basis, wt: [KH, KW, OP]; map: [K, K, P, OP] vec4s over o.
// A thread makes TAPS_PER_TILE taps of a row of the kernels of one vec4 of channels: it reads each vec4 of the map once for
// them. Taken for kernels of more than 49 taps.
//#import common/map
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required // the map's kernel, odd
const TAPS_PER_TILE: u32 = 1u; //#required
const WINDOW: u32 = 1u; //#required // TAPS_PER_TILE + K - 1: columns of the basis under a tile
const IDENTITY: bool = true; //#required
const HALF = K / 2u;

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> wt: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  const TILES = (KW + TAPS_PER_TILE - 1u) / TAPS_PER_TILE;
  let channels = sizes.OP / 4u;
  if (index >= KH * TILES * channels) { return; }
  let o = index % channels;
  let first = index / channels % TILES * TAPS_PER_TILE;
  let a = index / (channels * TILES);
  var sums: array<vec4<f32>, TAPS_PER_TILE>;
  for (var m = 0u; m < sizes.P; m++) {
    for (var u = 0u; u < K; u++) {
      // What lies above or left of the kernel has wrapped to huge numbers: one comparison leaves out both sides.
      let row = a + u - HALF;
      if (row >= KH) { continue; }
      var window: array<f32, WINDOW>;
      //#unroll
      for (var t = 0u; t < WINDOW; t++) {
        let column = first + t - HALF;
        window[t] = select(0.0, basis[(row * KW + min(column, KW - 1u)) * sizes.OP + m], column < KW);
      }
      //#unroll
      for (var v = 0u; v < K; v++) {
        let w = map[((u * K + v) * sizes.P + m) * channels + o];
        //#unroll
        for (var t = 0u; t < TAPS_PER_TILE; t++) { sums[t] += window[t + v] * w; }
      }
    }
  }
  //#unroll
  for (var t = 0u; t < TAPS_PER_TILE; t++) {
    if (first + t < KW) {
      let tap = ((a * KW + first + t) * channels + o);
      if (IDENTITY) { sums[t] += vec4(basis[4u * tap], basis[4u * tap + 1u], basis[4u * tap + 2u], basis[4u * tap + 3u]); }
      wt[tap] = sums[t];
    }
  }
}
