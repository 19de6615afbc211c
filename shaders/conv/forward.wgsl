// y[n, oh, ow, o] = bias[o] + sum_{kh, kw, i} x[n, oh*SH - PH + kh*DH, ow*SW - PW + kw*DW, first(o) + i] * w[kh, kw, i, o]
// Any groups, dilation, stride, padding and kernel; one output element a thread. x, y: NHWC, channels padded to CIP, COP.
// w: HWIO [KH, KW, CIG, COP]. Direct form: the fallback where no faster shader fits, and the reference of those that do.
const WG: u32 = 64u;
const N: u32 = 1u;
const H: u32 = 1u;
const W: u32 = 1u;
const OH: u32 = 1u;
const OW: u32 = 1u;
const CIP: u32 = 4u;
const COP: u32 = 4u;
const CO: u32 = 4u;
const CI_GROUP: u32 = 4u; // input channels a group
const CIG: u32 = 4u; // the same as stored in w (padded in a dense weight)
const CO_GROUP: u32 = 4u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const SH: u32 = 1u;
const SW: u32 = 1u;
const PH: u32 = 0u;
const PW: u32 = 0u;
const DH: u32 = 1u;
const DW: u32 = 1u;
const BIAS: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= N * OH * OW * COP) { return; }
  let o = index % COP;
  let ow = index / COP % OW;
  let oh = index / (COP * OW) % OH;
  let n = index / (COP * OW * OH);
  var sum = 0.0;
  if (o < CO) {
    let first = o / CO_GROUP * CI_GROUP;
    if (BIAS) { sum = bias[o]; }
    for (var kh = 0u; kh < KH; kh++) {
      // unsigned arithmetic wraps: what lies left of the image compares as far right of it
      let ih = oh * SH + kh * DH - PH;
      if (ih >= H) { continue; }
      for (var kw = 0u; kw < KW; kw++) {
        let iw = ow * SW + kw * DW - PW;
        if (iw >= W) { continue; }
        let xs = ((n * H + ih) * W + iw) * CIP + first;
        let ws = (kh * KW + kw) * CIG * COP + o;
        for (var i = 0u; i < CI_GROUP; i++) { sum += x[xs + i] * w[ws + i * COP]; }
      }
    }
  }
  y[index] = sum;
}
