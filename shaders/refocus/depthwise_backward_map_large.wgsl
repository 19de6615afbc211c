// dmap[u, v, m, o] = sum_{a, b} dw[a, b, o] * basis[a + u - K/2, b + v - K/2, m] for a depthwise basis of any size, layouts as
// in refocus/depthwise_forward_large.
// A thread makes the K x K map of plane m for one vec4 of o: it walks along the rows of the kernel with the K x K taps of the
// basis under the map in registers and reads each vec4 of the kernel's gradient once.
//#import common/map
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required
const HALF = K / 2u;

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dmap: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  let channels = sizes.OP / 4u;
  if (index >= sizes.P * channels) { return; }
  let o = index % channels;
  let m = index / channels;
  const MAP = K * K;
  var sums: array<vec4<f32>, MAP>;
  for (var a = 0u; a < KH; a++) {
    // window[u * K + v]: the basis at row a + u - K/2, column b + v - K/2, zero outside; the first step of b moves it to b = 0.
    // What lies above or left of the kernel has wrapped to huge numbers: one comparison leaves out both sides.
    var window: array<f32, MAP>;
    //#unroll
    for (var u = 0u; u < K; u++) {
      let row = a + u - HALF;
      //#unroll
      for (var v = 0u; v < K; v++) {
        let column = v - 1u - HALF;
        window[u * K + v] = select(0.0, basis[(min(row, KH - 1u) * KW + min(column, KW - 1u)) * sizes.OP + m], (row < KH) & (column < KW));
      }
    }
    for (var b = 0u; b < KW; b++) {
      let gradient = dw[(a * KW + b) * channels + o];
      let column = b + K - 1u - HALF;
      //#unroll
      for (var u = 0u; u < K; u++) {
        let row = a + u - HALF;
        let next = select(0.0, basis[(min(row, KH - 1u) * KW + min(column, KW - 1u)) * sizes.OP + m], (row < KH) & (column < KW));
        //#unroll
        for (var v = 0u; v < K; v++) {
          window[u * K + v] = select(window[min(u * K + v + 1u, MAP - 1u)], next, v == K - 1u);
          sums[u * K + v] += window[u * K + v] * gradient;
        }
      }
    }
  }
  //#unroll
  for (var u = 0u; u < K; u++) {
    //#unroll
    for (var v = 0u; v < K; v++) { dmap[((u * K + v) * sizes.P + m) * channels + o] = sums[u * K + v]; }
  }
}
