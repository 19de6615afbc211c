// dbasis[a, b, q] = IDENTITY * dw[a, b, q] + sum_{u, v, n in the map group of q} dw[a + K/2 - u, b + K/2 - v, n] * map[u, v, m(q), n]
// with planes q, n = o * I + i and m(q) = q % P; layouts as in refocus/forward. One element a thread.
const WG: u32 = 64u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const K: u32 = 1u;
const P: u32 = 1u;
const I: u32 = 1u;
const IP: u32 = 1u;
const O: u32 = 1u;
const OP: u32 = 4u;
const IDENTITY: bool = true;

@group(0) @binding(0) var<storage, read> map: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbasis: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= KH * KW * IP * OP) { return; }
  let o = index % OP;
  let i = index / OP % IP;
  let b = index / (OP * IP) % KW;
  let a = index / (OP * IP * KW);
  var sum = 0.0;
  if (o < O && i < I) {
    if (IDENTITY) { sum = dw[index]; }
    let m = (o * I + i) % P;
    let first = o * I + i - m;
    for (var n = first; n < first + P; n++) {
      let plane = n % I * OP + n / I;
      for (var u = 0u; u < K; u++) {
        let row = a + K / 2u - u;
        if (row >= KH) { continue; }
        for (var v = 0u; v < K; v++) {
          let column = b + K / 2u - v;
          if (column >= KW) { continue; }
          sum += dw[(row * KW + column) * IP * OP + plane] * map[((u * K + v) * P + m) * IP * OP + plane];
        }
      }
    }
  }
  dbasis[index] = sum;
}
