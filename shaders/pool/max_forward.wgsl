// y[n, oh, ow, c] = the largest x[n, oh*SH - PH + kh, ow*SW - PW + kw, c] in the image. One vec4 of channels a thread.
const WG: u32 = 64u;
const N: u32 = 1u;
const H: u32 = 1u;
const W: u32 = 1u;
const OH: u32 = 1u;
const OW: u32 = 1u;
const C4: u32 = 1u; // vec4s of channels
const KH: u32 = 1u;
const KW: u32 = 1u;
const SH: u32 = 1u;
const SW: u32 = 1u;
const PH: u32 = 0u;
const PW: u32 = 0u;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= N * OH * OW * C4) { return; }
  let c = index % C4;
  let ow = index / C4 % OW;
  let oh = index / (C4 * OW) % OH;
  let n = index / (C4 * OW * OH);
  var best = vec4(-3.4028234e38);
  for (var kh = 0u; kh < KH; kh++) {
    // unsigned arithmetic wraps: what lies above the image compares as far below it
    let ih = oh * SH + kh - PH;
    if (ih >= H) { continue; }
    for (var kw = 0u; kw < KW; kw++) {
      let iw = ow * SW + kw - PW;
      if (iw < W) { best = max(best, x[((n * H + ih) * W + iw) * C4 + c]); }
    }
  }
  y[index] = best;
}
