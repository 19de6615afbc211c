// partial[s, kh, kw, i, o] = sum over the s-th SHARED_SPLITS of SPLITS splits of the rows (n, oh) of f(x[n, oh*SH - PH + kh, ow*SW - PW +
//   kw, i]) * dy[n, oh, ow, o]
// One group. x [N, H, W, CI4], dy [N, OH, OW, CO4], partial [SPLITS / SHARED_SPLITS, KH, KW, 4*CI4, CO4], all vec4s of channels.
// A thread owns the products of one vec4 of input channels and VEC4S_PER_THREAD of output channels (CHANNEL_THREADS apart)
// at TAPS_PER_CHUNK taps of one row of the kernel, of one split. It goes along rows of dy COLUMNS_PER_STEP columns at a
// time: X_WINDOW of x and COLUMNS_PER_STEP*VEC4S_PER_THREAD of dy are loaded for
// 4*COLUMNS_PER_STEP*TAPS_PER_CHUNK*VEC4S_PER_THREAD vec4 multiply-adds. reduce/sum_splits adds the splits in order.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift). BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of
// which this reads A g + B y_raw + C. coef: with PROLOGUE [mean, rstd, scale, shift], CI4 vec4s each, then [A, B, C], CO4 each.
// BIAS: also bias_partial[s, o], the sum of dy alone, by the threads of x's first channels and of the row PH of the kernel, which meets
// every row of dy.
// SPLITS are as few as fill the device, which pointwise/backward_weight tells the time of.
//#import common/activation
//#import common/input
//#import common/gradient_rows
//#import common/kernel
//#import common/dense
//#import common/splits
const WG = 64u;
const COLUMNS_PER_STEP: u32 = 1u; //#required // columns of dy at a time
const TAPS_PER_CHUNK: u32 = 1u; //#required // taps a thread
const CHUNKS: u32 = 1u; //#required // ceil(KW / TAPS_PER_CHUNK)
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_STEP - 1) * SW + TAPS_PER_CHUNK: columns of x that a row of dy meets
const VEC4S_PER_THREAD: u32 = 1u; //#required // vec4s of output channels a thread
const SUMS: u32 = 4u; //#required // 4 * TAPS_PER_CHUNK * VEC4S_PER_THREAD
const BIAS: bool = false;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE || BACKWARD_PROLOGUE
@group(0) @binding(3) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> bias_partial: array<vec4<f32>>; //#if BIAS

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = column_of(id.x + id.y * workgroups.x, local);
  let channel_thread = index % sizes.CHANNEL_THREADS;
  let i = index / sizes.CHANNEL_THREADS % sizes.CI4;
  let first_tap = index / (sizes.CHANNEL_THREADS * sizes.CI4) % CHUNKS * TAPS_PER_CHUNK;
  let kh = index / (sizes.CHANNEL_THREADS * sizes.CI4 * CHUNKS) % KH;
  let part = index / (sizes.CHANNEL_THREADS * sizes.CI4 * CHUNKS * KH);
  let split = part * SHARED_SPLITS + local / COLUMNS; // of those past the last, which have no rows, nothing is written
  let input = input_coefficients(i, sizes.CI4);
  var gradients: array<GradientCoefficients, VEC4S_PER_THREAD>;
  //#unroll
  for (var q = 0u; q < VEC4S_PER_THREAD; q++) { gradients[q] = gradient_coefficients(min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u), sizes.CO4); }
  var sums: array<vec4<f32>, SUMS>;
  var bias_sums: array<vec4<f32>, VEC4S_PER_THREAD>;
  let rows = sizes.N * sizes.OH;
  let rows_per_split = (rows + sizes.SPLITS - 1u) / sizes.SPLITS;
  for (var dy_row = split * rows_per_split; dy_row < min((split + 1u) * rows_per_split, rows); dy_row++) {
    // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
    let ih = dy_row % sizes.OH * SH + kh - PH;
    if (ih >= sizes.H) { continue; }
    let at = (dy_row / sizes.OH * sizes.H + ih) * sizes.W;
    for (var column = 0u; column < sizes.OW; column += COLUMNS_PER_STEP) {
      var row: array<vec4<f32>, X_WINDOW>;
      //#unroll
      for (var j = 0u; j < X_WINDOW; j++) {
        if (j % SW < TAPS_PER_CHUNK) {
          let iw = column * SW + first_tap + j - PW;
          row[j] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.CI4 + i), input), iw < sizes.W);
        }
      }
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_STEP; t++) {
        //#unroll
        for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
          let ow = min(column + t, sizes.OW - 1u);
          let o = min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
          let d = select(vec4(0.0), gradient_at(dy_row * sizes.OW + ow, o, gradients[q]), column + t < sizes.OW);
          if (BIAS) { bias_sums[q] += d; }
          //#unroll
          for (var k = 0u; k < TAPS_PER_CHUNK; k++) {
            sums[(k * VEC4S_PER_THREAD + q) * 4u] += row[t * SW + k].x * d;
            sums[(k * VEC4S_PER_THREAD + q) * 4u + 1u] += row[t * SW + k].y * d;
            sums[(k * VEC4S_PER_THREAD + q) * 4u + 2u] += row[t * SW + k].z * d;
            sums[(k * VEC4S_PER_THREAD + q) * 4u + 3u] += row[t * SW + k].w * d;
          }
        }
      }
    }
  }
  //#unroll
  for (var k = 0u; k < TAPS_PER_CHUNK; k++) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let kw = first_tap + k;
      let o = channel_thread + q * sizes.CHANNEL_THREADS;
      let first = (k * VEC4S_PER_THREAD + q) * 4u;
      let total = add_splits(array(sums[first], sums[first + 1u], sums[first + 2u], sums[first + 3u]), local);
      if (local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS && kw < KW && o < sizes.CO4) {
        //#unroll
        for (var j = 0u; j < 4u; j++) {
          // The padding channels of x are no longer zero behind an activation that is not 0 at 0: their products are.
          partial[(((part * KH + kh) * KW + kw) * 4u * sizes.CI4 + i * 4u + j) * sizes.CO4 + o] =
            select(vec4(0.0), total[j], i * 4u + j < sizes.CI);
        }
      }
    }
  }
  if (BIAS) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let o = channel_thread + q * sizes.CHANNEL_THREADS;
      let total = add_splits(array(bias_sums[q], vec4(0.0), vec4(0.0), vec4(0.0)), local)[0];
      let owns = i == 0u && first_tap == 0u && kh == PH;
      if (local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS && owns && o < sizes.CO4) {
        bias_partial[part * sizes.CO4 + o] = total;
      }
    }
  }
}
