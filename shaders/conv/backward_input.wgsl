// dx[n, h, w, c] = addend + sum_{kh, kw, o in the group of c} dy[n, oh, ow, o] * w[kh, kw, c - first, o]
// over the (oh, kh) with oh*SH - PH + kh*DH = h, likewise for columns. One element of dx a thread.
const WG: u32 = 64u;
const N: u32 = 1u;
const H: u32 = 1u;
const W: u32 = 1u;
const OH: u32 = 1u;
const OW: u32 = 1u;
const CIP: u32 = 4u;
const CI: u32 = 4u;
const COP: u32 = 4u;
const CI_GROUP: u32 = 4u;
const CIG: u32 = 4u;
const CO_GROUP: u32 = 4u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const SH: u32 = 1u;
const SW: u32 = 1u;
const PH: u32 = 0u;
const PW: u32 = 0u;
const DH: u32 = 1u;
const DW: u32 = 1u;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> addend: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= N * H * W * CIP) { return; }
  let c = index % CIP;
  let iw = index / CIP % W;
  let ih = index / (CIP * W) % H;
  let n = index / (CIP * W * H);
  var sum = 0.0;
  if (c < CI) {
    let group = c / CI_GROUP;
    let i = c - group * CI_GROUP;
    for (var kh = 0u; kh < KH; kh++) {
      let th = ih + PH - kh * DH;
      if (th % SH != 0u || th / SH >= OH) { continue; }
      for (var kw = 0u; kw < KW; kw++) {
        let tw = iw + PW - kw * DW;
        if (tw % SW != 0u || tw / SW >= OW) { continue; }
        let ys = ((n * OH + th / SH) * OW + tw / SW) * COP + group * CO_GROUP;
        let ws = ((kh * KW + kw) * CIG + i) * COP + group * CO_GROUP;
        for (var o = 0u; o < CO_GROUP; o++) { sum += dy[ys + o] * w[ws + o]; }
      }
    }
  }
  if (ADDEND) { sum += addend[index]; }
  dx[index] = sum;
}
