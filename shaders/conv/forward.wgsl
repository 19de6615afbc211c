// y[n, oh, ow, o] = bias[o] + sum_{kh, kw, i} x[n, oh*SH - PH + kh*DH, ow*SW - PW + kw*DW, first(o) + i] * w[kh, kw, i, o]
// Any groups, dilation, stride, padding and kernel; one output element a thread. x, y: NHWC, channels padded to CIP, COP.
// w: HWIO [KH, KW, CIG, COP]. Direct form: the fallback where no faster shader fits, and the reference of those that do.
//#import common/direct
//#import common/global_index
const WG = 64u;
const BIAS: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>; //#if BIAS
@group(0) @binding(3) var<storage, read_write> y: array<f32>; //#f16

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.OH * sizes.OW * sizes.COP) { return; }
  let o = index % sizes.COP;
  let ow = index / sizes.COP % sizes.OW;
  let oh = index / (sizes.COP * sizes.OW) % sizes.OH;
  let n = index / (sizes.COP * sizes.OW * sizes.OH);
  var sum = 0.0;
  if (o < sizes.CO) {
    let first = o / sizes.CO_GROUP * sizes.CI_GROUP;
    if (BIAS) { sum = bias[o]; }
    for (var kh = 0u; kh < sizes.KH; kh++) {
      // Places before the image have wrapped to huge numbers: one comparison with its size leaves out those on both sides.
      let ih = oh * sizes.SH + kh * sizes.DH - sizes.PH;
      if (ih >= sizes.H) { continue; }
      for (var kw = 0u; kw < sizes.KW; kw++) {
        let iw = ow * sizes.SW + kw * sizes.DW - sizes.PW;
        if (iw >= sizes.W) { continue; }
        let xs = ((n * sizes.H + ih) * sizes.W + iw) * sizes.CIP + first;
        let ws = (kh * sizes.KW + kw) * sizes.CIG * sizes.COP + o;
        for (var i = 0u; i < sizes.CI_GROUP; i++) { sum += load_x(xs + i) * w[ws + i * sizes.COP]; }
      }
    }
  }
  store_y(index, sum);
}
