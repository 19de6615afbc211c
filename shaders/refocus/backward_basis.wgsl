// dbasis[a, b, q] = IDENTITY * dw[a, b, q] + sum_{u, v, n in the map group of q} dw[a + K/2 - u, b + K/2 - v, n] * map[u, v, m(q), n]
// with planes q, n = o * I + i and m(q) = q % P; layouts as in refocus/forward. One element a thread.
//#import common/map
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required
const IDENTITY: bool = true; //#required

@group(0) @binding(0) var<storage, read> map: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbasis: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= KH * KW * sizes.IP * sizes.OP) { return; }
  let o = index % sizes.OP;
  let i = index / sizes.OP % sizes.IP;
  let b = index / (sizes.OP * sizes.IP) % KW;
  let a = index / (sizes.OP * sizes.IP * KW);
  var sum = 0.0;
  if (o < sizes.O && i < sizes.I) {
    if (IDENTITY) { sum = dw[index]; }
    let m = (o * sizes.I + i) % sizes.P;
    let first = o * sizes.I + i - m;
    for (var n = first; n < first + sizes.P; n++) {
      let plane = n % sizes.I * sizes.OP + n / sizes.I;
      for (var u = 0u; u < K; u++) {
        let row = a + K / 2u - u;
        if (row >= KH) { continue; }
        for (var v = 0u; v < K; v++) {
          let column = b + K / 2u - v;
          if (column >= KW) { continue; }
          sum += dw[(row * KW + column) * sizes.IP * sizes.OP + plane] * map[((u * K + v) * sizes.P + m) * sizes.IP * sizes.OP + plane];
        }
      }
    }
  }
  dbasis[index] = sum;
}
