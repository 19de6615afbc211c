// wt[a, b, i, o] = IDENTITY * basis[a, b, i, o] + sum_{u, v, m} basis[a + u - K/2, b + v - K/2, plane(m)] * map[u, v, m, i, o]
// for any grouping. Plane n = o * I + i; its map group is n / P, and plane(m) = (n / P) * P + m.
// basis, wt: HWIO [KH, KW, IP, OP]; map: [K, K, P, IP, OP]. One element of wt a thread; neighbours read neighbouring maps.
//#import common/map
//#import common/global_index
const WG = 64u;
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required // the map's kernel, odd
const IDENTITY: bool = true; //#required

@group(0) @binding(0) var<storage, read> basis: array<f32>;
@group(0) @binding(1) var<storage, read> map: array<f32>;
@group(0) @binding(2) var<storage, read_write> wt: array<f32>;

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
    if (IDENTITY) { sum = basis[index]; }
    let first = (o * sizes.I + i) / sizes.P * sizes.P;
    for (var m = 0u; m < sizes.P; m++) {
      let plane = (first + m) % sizes.I * sizes.OP + (first + m) / sizes.I;
      for (var u = 0u; u < K; u++) {
        // Rows above the kernel have wrapped to huge numbers: one comparison with KH leaves out those on both sides.
        let row = a + u - K / 2u;
        if (row >= KH) { continue; }
        for (var v = 0u; v < K; v++) {
          let column = b + v - K / 2u;
          if (column >= KW) { continue; }
          sum += basis[(row * KW + column) * sizes.IP * sizes.OP + plane] * map[(((u * K + v) * sizes.P + m) * sizes.IP + i) * sizes.OP + o];
        }
      }
    }
  }
  wt[index] = sum;
}
