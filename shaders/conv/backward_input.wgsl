// dx[n, h, w, c] = addend + sum_{kh, kw, o in the group of c} dy[n, oh, ow, o] * w[kh, kw, c - first, o]
// over the (oh, kh) with oh*SH - PH + kh*DH = h, likewise for columns. One element of dx a thread.
//#import common/direct
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> addend: array<f32>; //#if ADDEND
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.H * sizes.W * sizes.CIP) { return; }
  let c = index % sizes.CIP;
  let iw = index / sizes.CIP % sizes.W;
  let ih = index / (sizes.CIP * sizes.W) % sizes.H;
  let n = index / (sizes.CIP * sizes.W * sizes.H);
  var sum = 0.0;
  if (c < sizes.CI) {
    let group = c / sizes.CI_GROUP;
    let i = c - group * sizes.CI_GROUP;
    for (var kh = 0u; kh < sizes.KH; kh++) {
      let th = ih + sizes.PH - kh * sizes.DH;
      if (th % sizes.SH != 0u || th / sizes.SH >= sizes.OH) { continue; }
      for (var kw = 0u; kw < sizes.KW; kw++) {
        let tw = iw + sizes.PW - kw * sizes.DW;
        if (tw % sizes.SW != 0u || tw / sizes.SW >= sizes.OW) { continue; }
        let ys = ((n * sizes.OH + th / sizes.SH) * sizes.OW + tw / sizes.SW) * sizes.COP + group * sizes.CO_GROUP;
        let ws = ((kh * sizes.KW + kw) * sizes.CIG + i) * sizes.COP + group * sizes.CO_GROUP;
        for (var o = 0u; o < sizes.CO_GROUP; o++) { sum += dy[ys + o] * w[ws + o]; }
      }
    }
  }
  if (ADDEND) { sum += addend[index]; }
  dx[index] = sum;
}
