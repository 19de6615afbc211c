// dmap[u, v, m, i, o] = sum_{a, b} dw[a, b, i, o] * basis[a + u - K/2, b + v - K/2, plane(m)], layouts as in refocus/forward.
// One element of the map's gradient a thread.
//#import common/map
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> dmap: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= K * K * sizes.P * sizes.IP * sizes.OP) { return; }
  let o = index % sizes.OP;
  let i = index / sizes.OP % sizes.IP;
  let m = index / (sizes.OP * sizes.IP) % sizes.P;
  let v = index / (sizes.OP * sizes.IP * sizes.P) % K;
  let u = index / (sizes.OP * sizes.IP * sizes.P * K);
  var sum = 0.0;
  if (o < sizes.O && i < sizes.I) {
    let source = (o * sizes.I + i) / sizes.P * sizes.P + m;
    let plane = source % sizes.I * sizes.OP + source / sizes.I;
    for (var a = 0u; a < KH; a++) {
      let row = a + u - K / 2u;
      if (row >= KH) { continue; }
      for (var b = 0u; b < KW; b++) {
        let column = b + v - K / 2u;
        if (column >= KW) { continue; }
        sum += dw[((a * KW + b) * sizes.IP + i) * sizes.OP + o] * basis[(row * KW + column) * sizes.IP * sizes.OP + plane];
      }
    }
  }
  dmap[index] = sum;
}
