// partial[s, kh, kw, i, o] = the sum of dense/backward_weight, of which a thread takes all taps of a kernel at a time, for kernels of up
//   to 3 x 3.
// A thread owns the products of one vec4 of input channels and VEC4S_PER_THREAD of output channels (CHANNEL_THREADS apart) at all taps,
// of one split. It goes along rows of dy, four columns QUADS_PER_STEP times at a time: KH*X_WINDOW of x and, by threads that share it,
// QUADS_PER_STEP*VEC4S_PER_THREAD of dy are loaded for KH*KW as many products of 4 x 4 matrices. reduce/sum_splits adds the splits in order.
// PROLOGUE, BACKWARD_PROLOGUE, BIAS and coef as in dense/backward_weight.
// Taken where sums may leave the registers: a fifth of the loads a product, which on SwiftShader are most of the time, and rows and
// columns in one loop, of which each costs a select for every sum (docs/performance.md).
//#import common/activation
//#import common/input
//#import common/gradient_rows
//#import common/kernel
//#import common/dense
//#import common/gradient_columns
//#import common/splits
const WG = 64u;
const QUADS_PER_STEP: u32 = 1u; //#required // times four columns of dy at a time
const X_WINDOW: u32 = 4u; //#required // (4 * QUADS_PER_STEP - 1) * SW + KW: columns of x that a row of dy meets
const VEC4S_PER_THREAD: u32 = 1u; //#required // vec4s of output channels a thread
const PRODUCTS: u32 = 1u; //#required // KH * KW * VEC4S_PER_THREAD
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
  let lane = index % LANES;
  let channel_thread = index / LANES % sizes.CHANNEL_THREADS;
  let inputs = (sizes.CI4 + LANES - 1u) / LANES;
  let input_thread = index / (LANES * sizes.CHANNEL_THREADS) % inputs * LANES + lane; // past the last vec4 it only loads dy
  let part = index / (LANES * sizes.CHANNEL_THREADS * inputs);
  let i = min(input_thread, sizes.CI4 - 1u);
  let split = part * SHARED_SPLITS + local / COLUMNS; // of those past the last, which have no rows, nothing is written
  let input = input_coefficients(i, sizes.CI4);
  var gradients: array<GradientCoefficients, VEC4S_PER_THREAD>;
  //#unroll
  for (var q = 0u; q < VEC4S_PER_THREAD; q++) { gradients[q] = gradient_coefficients(min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u), sizes.CO4); }
  var products: array<mat4x4<f32>, PRODUCTS>; // a column for each channel of x
  var bias_sums: array<vec4<f32>, VEC4S_PER_THREAD>;
  let rows = sizes.N * sizes.OH;
  let rows_per_split = (rows + sizes.SPLITS - 1u) / sizes.SPLITS;
  let steps = (sizes.OW + 4u * QUADS_PER_STEP - 1u) / (4u * QUADS_PER_STEP); // of a row
  for (var step = split * rows_per_split * steps; step < min((split + 1u) * rows_per_split, rows) * steps; step++) {
    let dy_row = step / steps;
    let column = step % steps * 4u * QUADS_PER_STEP;
    var d: array<mat4x4<f32>, QUADS_PER_STEP * VEC4S_PER_THREAD>;
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let o = min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
      //#unroll
      for (var t = 0u; t < QUADS_PER_STEP; t++) {
        let columns = four_gradients(dy_row, column + t * 4u, o, gradients[q], lane);
        d[t * VEC4S_PER_THREAD + q] = columns;
        if (BIAS) { bias_sums[q] += columns * vec4(1.0); }
      }
    }
    //#unroll
    for (var kh = 0u; kh < KH; kh++) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let ih = dy_row % sizes.OH * SH + kh - PH;
      let at = (dy_row / sizes.OH * sizes.H + min(ih, sizes.H - 1u)) * sizes.W;
      var row: array<vec4<f32>, X_WINDOW>;
      //#unroll
      for (var j = 0u; j < X_WINDOW; j++) {
        let iw = column * SW + j - PW;
        row[j] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.CI4 + i), input), (ih < sizes.H) & (iw < sizes.W));
      }
      //#unroll
      for (var kw = 0u; kw < KW; kw++) {
        //#unroll
        for (var t = 0u; t < QUADS_PER_STEP; t++) {
          //#unroll
          for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
            // As a product of matrices half the time of sums in sequence on SwiftShader.
            products[(kh * KW + kw) * VEC4S_PER_THREAD + q] += d[t * VEC4S_PER_THREAD + q]
              * transpose(mat4x4(row[4u * t * SW + kw], row[(4u * t + 1u) * SW + kw], row[(4u * t + 2u) * SW + kw], row[(4u * t + 3u) * SW + kw]));
          }
        }
      }
    }
  }
  let writes = local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS && input_thread < sizes.CI4;
  // A tap is written in a turn, which makes the text short.
  //#turns
  for (var kh = 0u; kh < KH; kh++) {
    //#turns
    for (var kw = 0u; kw < KW; kw++) {
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let o = channel_thread + q * sizes.CHANNEL_THREADS;
        let total = add_splits(array(products[q][0], products[q][1], products[q][2], products[q][3]), local);
        if (writes && o < sizes.CO4) {
          //#unroll
          for (var j = 0u; j < 4u; j++) {
            // The padding channels of x are no longer zero behind an activation that is not 0 at 0: their products are.
            partial[(((part * KH + kh) * KW + kw) * 4u * sizes.CI4 + i * 4u + j) * sizes.CO4 + o] =
              select(vec4(0.0), total[j], i * 4u + j < sizes.CI);
          }
        }
      }
      // The products of the next tap move to the places of this one's: register arrays are registers only where their indices are
      // constants.
      //#unroll
      for (var k = 0u; k < PRODUCTS; k++) { products[k] = products[min(k + VEC4S_PER_THREAD, PRODUCTS - 1u)]; }
    }
  }
  if (BIAS) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let o = channel_thread + q * sizes.CHANNEL_THREADS;
      let total = add_splits(array(bias_sums[q], vec4(0.0), vec4(0.0), vec4(0.0)), local)[0];
      if (writes && i == 0u && o < sizes.CO4) { bias_partial[part * sizes.CO4 + o] = total; }
    }
  }
}
