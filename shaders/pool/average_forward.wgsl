// y[n, oh, ow, c] = sum of x[n, oh*SH - PH + kh, ow*SW - PW + kw, c] in the image / what of the window lies in the
// padded image, or, without COUNT_PAD, in the image. THREADS_PER_VEC4 threads share a vec4 of channels of a window: up to 16 side by
// side over its columns, the others over its rows; then sixteen add up those of the others and one the sixteen's, in order.
// PROLOGUE: what is read is raw, x = activate(scale * raw + shift) of coef [mean, rstd, scale, shift].
// Variants: one thread a vec4 where windows are small or many; 16, 64 or 256 and a barrier else, as for the few large windows of a global
// pool, which took 12 of the 30 ms of a step of EfficientNet-B0 on an H200 by one thread each.
//#import common/window
//#import common/pool
//#import common/input
const WG: u32 = 64u; //#required
const THREADS_PER_VEC4: u32 = 1u; //#required
const VEC4S_PER_WORKGROUP = WG / THREADS_PER_VEC4;
const THREADS_ACROSS = min(THREADS_PER_VEC4, 16u);
const THREADS_DOWN = THREADS_PER_VEC4 / THREADS_ACROSS;
const COUNT_PAD: bool = true; //#required

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE

var<workgroup> shared_sums: array<vec4<f32>, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (id.x + id.y * workgroups.x) * VEC4S_PER_WORKGROUP + local % VEC4S_PER_WORKGROUP;
  let thread = local / VEC4S_PER_WORKGROUP;
  let c = index % sizes.C4;
  let ow = index / sizes.C4 % sizes.OW;
  let oh = index / (sizes.C4 * sizes.OW) % sizes.OH;
  let n = index / (sizes.C4 * sizes.OW * sizes.OH);
  var sum = vec4(0.0);
  if (n < sizes.N) {
    let input = input_coefficients(c, sizes.C4);
    for (var kh = thread / THREADS_ACROSS; kh < sizes.KH; kh += THREADS_DOWN) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let ih = oh * sizes.SH + kh - sizes.PH;
      if (ih >= sizes.H) { continue; }
      for (var kw = thread % THREADS_ACROSS; kw < sizes.KW; kw += THREADS_ACROSS) {
        let iw = ow * sizes.SW + kw - sizes.PW;
        if (iw < sizes.W) { sum += prologue(load_x(((n * sizes.H + ih) * sizes.W + iw) * sizes.C4 + c), input); }
      }
    }
  }
  if (THREADS_PER_VEC4 > 1u) {
    shared_sums[local] = sum;
    workgroupBarrier();
  }
  if (THREADS_PER_VEC4 > 16u) {
    if (thread < 16u) {
      for (var t = 16u; t < THREADS_PER_VEC4; t += 16u) { sum += shared_sums[local + t * VEC4S_PER_WORKGROUP]; }
      shared_sums[local] = sum;
    }
    workgroupBarrier();
  }
  if (thread > 0u || n >= sizes.N) { return; }
  for (var t = 1u; t < min(THREADS_PER_VEC4, 16u); t++) { sum += shared_sums[local + t * VEC4S_PER_WORKGROUP]; }
  var size = places_padded(oh * sizes.SH, sizes.KH, sizes.PADDED_H) * places_padded(ow * sizes.SW, sizes.KW, sizes.PADDED_W);
  if (!COUNT_PAD) { size = places_inside(oh * sizes.SH - sizes.PH, sizes.KH, sizes.H) * places_inside(ow * sizes.SW - sizes.PW, sizes.KW, sizes.W); }
  store_y(index / sizes.C4 * sizes.Y_PITCH + sizes.Y_START + c, sum / size);
}
