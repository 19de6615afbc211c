// dmap[u, v, m, i, o] = sum_{a, b} dw[a, b, i, o] * basis[a + u - K/2, b + v - K/2, plane(m)], layouts as in refocus/forward.
// One element of the map's gradient a thread.
const WG: u32 = 64u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const K: u32 = 1u;
const P: u32 = 1u;
const I: u32 = 1u;
const IP: u32 = 1u;
const O: u32 = 1u;
const OP: u32 = 4u;

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> dmap: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= K * K * P * IP * OP) { return; }
  let o = index % OP;
  let i = index / OP % IP;
  let m = index / (OP * IP) % P;
  let v = index / (OP * IP * P) % K;
  let u = index / (OP * IP * P * K);
  var sum = 0.0;
  if (o < O && i < I) {
    let source = (o * I + i) / P * P + m;
    let plane = source % I * OP + source / I;
    for (var a = 0u; a < KH; a++) {
      let row = a + u - K / 2u;
      if (row >= KH) { continue; }
      for (var b = 0u; b < KW; b++) {
        let column = b + v - K / 2u;
        if (column >= KW) { continue; }
        sum += dw[((a * KW + b) * IP + i) * OP + o] * basis[(row * KW + column) * IP * OP + plane];
      }
    }
  }
  dmap[index] = sum;
}
