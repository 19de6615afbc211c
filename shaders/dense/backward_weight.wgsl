// partial[s, kh, kw, i, o] = sum over the s-th of SPLITS runs of rows (n, oh) of f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, i]) * dy[n, oh, ow, o]
// One group. x [N, H, W, CI4], dy [N, OH, OW, CO4], partial [SPLITS, KH, KW, 4*CI4, CO4], all vec4s of channels.
// A thread owns the products of one vec4 of input channels and QUADS of output channels (GROUPS apart) at CHUNK taps of one
// row of the kernel, of one split. It goes along rows of dy TW columns at a time: XW of x and TW*QUADS of dy are loaded for
// 4*TW*CHUNK*QUADS vec4 multiply-adds. reduce/sum_splits adds the splits in order.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift). BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of
// which this reads A g + B y_raw + C. coef: with PROLOGUE [mean, rstd, scale, shift], CI4 vec4s each, then [A, B, C], CO4 each.
//#import common/activation
//#import common/input
//#import common/gradient
//#import common/kernel
//#import common/dense
//#import common/global_index
const WG = 64u;
const TW: u32 = 1u; //#required // columns of dy at a time
const CHUNK: u32 = 1u; //#required // taps a thread
const CHUNKS: u32 = 1u; //#required // ceil(KW / CHUNK)
const XW: u32 = 1u; //#required // (TW - 1) * SW + CHUNK: columns of x that a row of dy meets
const QUADS: u32 = 1u; //#required // vec4s of output channels a thread
const SUMS: u32 = 4u; //#required // 4 * CHUNK * QUADS

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE || BACKWARD_PROLOGUE
@group(0) @binding(3) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.SPLITS * KH * CHUNKS * sizes.CI4 * sizes.GROUPS) { return; }
  let group = index % sizes.GROUPS;
  let i = index / sizes.GROUPS % sizes.CI4;
  let first_tap = index / (sizes.GROUPS * sizes.CI4) % CHUNKS * CHUNK;
  let kh = index / (sizes.GROUPS * sizes.CI4 * CHUNKS) % KH;
  let split = index / (sizes.GROUPS * sizes.CI4 * CHUNKS * KH);
  let input = input_coefficients(i, sizes.CI4);
  var gradients: array<GradientCoefficients, QUADS>;
  //#unroll
  for (var q = 0u; q < QUADS; q++) { gradients[q] = gradient_coefficients(min(group + q * sizes.GROUPS, sizes.CO4 - 1u), sizes.CO4); }
  var sums: array<vec4<f32>, SUMS>;
  let rows = sizes.N * sizes.OH;
  let run = (rows + sizes.SPLITS - 1u) / sizes.SPLITS;
  for (var run_row = split * run; run_row < min((split + 1u) * run, rows); run_row++) {
    // unsigned arithmetic wraps: what lies above the image compares as far below it
    let ih = run_row % sizes.OH * SH + kh - PH;
    if (ih >= sizes.H) { continue; }
    let at = (run_row / sizes.OH * sizes.H + ih) * sizes.W;
    for (var column = 0u; column < sizes.OW; column += TW) {
      var row: array<vec4<f32>, XW>;
      //#unroll
      for (var j = 0u; j < XW; j++) {
        if (j % SW < CHUNK) {
          let iw = column * SW + first_tap + j - PW;
          row[j] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.CI4 + i), input), iw < sizes.W);
        }
      }
      //#unroll
      for (var t = 0u; t < TW; t++) {
        //#unroll
        for (var q = 0u; q < QUADS; q++) {
          let ow = min(column + t, sizes.OW - 1u);
          let o = min(group + q * sizes.GROUPS, sizes.CO4 - 1u);
          let d = select(vec4(0.0), load_gradient((run_row * sizes.OW + ow) * sizes.CO4 + o, gradients[q]), column + t < sizes.OW);
          //#unroll
          for (var k = 0u; k < CHUNK; k++) {
            sums[(k * QUADS + q) * 4u] += row[t * SW + k].x * d;
            sums[(k * QUADS + q) * 4u + 1u] += row[t * SW + k].y * d;
            sums[(k * QUADS + q) * 4u + 2u] += row[t * SW + k].z * d;
            sums[(k * QUADS + q) * 4u + 3u] += row[t * SW + k].w * d;
          }
        }
      }
    }
  }
  //#unroll
  for (var k = 0u; k < CHUNK; k++) {
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let kw = first_tap + k;
      let o = group + q * sizes.GROUPS;
      if (kw < KW && o < sizes.CO4) {
        //#unroll
        for (var j = 0u; j < 4u; j++) {
          // an activation that is not 0 at 0 makes something of the padding lanes of x
          partial[(((split * KH + kh) * KW + kw) * 4u * sizes.CI4 + i * 4u + j) * sizes.CO4 + o] =
            select(vec4(0.0), sums[(k * QUADS + q) * 4u + j], i * 4u + j < sizes.CI);
        }
      }
    }
  }
}
