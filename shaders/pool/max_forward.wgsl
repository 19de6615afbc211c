// y[n, oh, ow, c] = the largest x[n, oh*SH - PH + kh, ow*SW - PW + kw, c] in the image. One vec4 of channels a thread.
// PROLOGUE: what is read is raw, x = activate(scale * raw + shift) of coef [mean, rstd, scale, shift].
//#import common/pool
//#import common/input
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.OH * sizes.OW * sizes.C4) { return; }
  let c = index % sizes.C4;
  let ow = index / sizes.C4 % sizes.OW;
  let oh = index / (sizes.C4 * sizes.OW) % sizes.OH;
  let n = index / (sizes.C4 * sizes.OW * sizes.OH);
  let input = input_coefficients(c, sizes.C4);
  var best = vec4(-3.4028234e38);
  for (var kh = 0u; kh < sizes.KH; kh++) {
    // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
    let ih = oh * sizes.SH + kh - sizes.PH;
    if (ih >= sizes.H) { continue; }
    for (var kw = 0u; kw < sizes.KW; kw++) {
      let iw = ow * sizes.SW + kw - sizes.PW;
      if (iw < sizes.W) { best = max(best, prologue(load_x(((n * sizes.H + ih) * sizes.W + iw) * sizes.C4 + c), input)); }
    }
  }
  store_y(index / sizes.C4 * sizes.Y_PITCH + sizes.Y_START + c, best);
}
