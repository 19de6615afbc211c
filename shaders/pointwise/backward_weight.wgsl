// partial[s, i, o] = sum over the s-th SHARED_SPLITS of SPLITS splits of the rows of f(x[row, i]) * dy[row, o]: the gradient of a 1x1
//   convolution's
// weight. x [ROWS, CI4], dy [ROWS, CO4], partial [SPLITS / SHARED_SPLITS, 4*CI4, CO4], all vec4s of channels.
// A thread owns the products of INPUT_VEC4S vec4s of input channels (INPUT_THREADS apart) and OUTPUT_VEC4S of output
// channels (OUTPUT_THREADS apart) of one split: per row it loads INPUT_VEC4S + OUTPUT_VEC4S for 4*INPUT_VEC4S*OUTPUT_VEC4S
// vec4 multiply-adds. reduce/sum_splits adds the splits in order.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift). BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of
// which this reads A g + B y_raw + C. GATE: f(x) is multiplied with a number a channel and image: common/gate. coef: with PROLOGUE [mean, rstd, scale, shift], CI4 vec4s each, then [A, B, C], CO4 each.
// BIAS: also bias_partial[s, o], the sum of dy alone, by the threads of the first input channels.
// Variants, with what they brought on SwiftShader (docs/performance.md):
// - The tile is that of the fewest loads a product: 329 to 287 ms a step for the pointwise weight gradients.
// - SPLITS are as few as fill the device: the last sums of all weight gradients 90 to 14 ms a step.
//#import common/activation
//#import common/input
//#import common/gate
//#import common/gradient_rows
//#import common/splits
const WG = 64u;
const INPUT_VEC4S: u32 = 1u; //#required
const OUTPUT_VEC4S: u32 = 1u; //#required
const SUMS: u32 = 4u; //#required // 4 * INPUT_VEC4S * OUTPUT_VEC4S
const IN_TURNS: bool = false; // TURNS > 1
const TURNS: u32 = 1u; //#required // of the loop that writes the sums, whose text is as many times shorter
const INPUTS_AT_A_TIME: u32 = 1u; //#required // INPUT_VEC4S / TURNS
const SUMS_AT_A_TIME = 4u * INPUTS_AT_A_TIME * OUTPUT_VEC4S;
const BIAS: bool = false;

struct Sizes {
  ROWS: u32,
  PIXELS: u32, // rows of an image
  CI: u32,
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x lies
  Y_PITCH: u32, // of a row where y_raw lies
  Y_START: u32, // of that row, where y_raw's begin
  SPLITS: u32,
  INPUT_THREADS: u32, // ceil(CI4 / INPUT_VEC4S)
  OUTPUT_THREADS: u32, // ceil(CO4 / OUTPUT_VEC4S)
  BACKWARD_COEF: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE || BACKWARD_PROLOGUE
@group(0) @binding(3) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16
@group(0) @binding(6) var<storage, read_write> bias_partial: array<vec4<f32>>; //#if BIAS
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = column_of(id.x + id.y * workgroups.x, local);
  let output_thread = index % sizes.OUTPUT_THREADS;
  let input_thread = index / sizes.OUTPUT_THREADS % sizes.INPUT_THREADS;
  let part = index / (sizes.OUTPUT_THREADS * sizes.INPUT_THREADS);
  let split = part * SHARED_SPLITS + local / COLUMNS; // of those past the last, which have no rows, nothing is written
  let rows_per_split = (sizes.ROWS + sizes.SPLITS - 1u) / sizes.SPLITS;
  var inputs: array<InputCoefficients, INPUT_VEC4S>;
  //#unroll
  for (var p = 0u; p < INPUT_VEC4S; p++) { inputs[p] = input_coefficients(min(input_thread + p * sizes.INPUT_THREADS, sizes.CI4 - 1u), sizes.CI4); }
  var gradients: array<GradientCoefficients, OUTPUT_VEC4S>;
  //#unroll
  for (var q = 0u; q < OUTPUT_VEC4S; q++) { gradients[q] = gradient_coefficients(min(output_thread + q * sizes.OUTPUT_THREADS, sizes.CO4 - 1u), sizes.CO4); }
  var sums: array<vec4<f32>, SUMS>;
  var bias_sums: array<vec4<f32>, OUTPUT_VEC4S>;
  for (var row = split * rows_per_split; row < min((split + 1u) * rows_per_split, sizes.ROWS); row++) {
    var values: array<vec4<f32>, OUTPUT_VEC4S>;
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      values[q] = gradient_at(row, min(output_thread + q * sizes.OUTPUT_THREADS, sizes.CO4 - 1u), gradients[q]);
      if (BIAS) { bias_sums[q] += values[q]; }
    }
    let gates = gates_of(row, sizes.CI4);
    //#unroll
    for (var p = 0u; p < INPUT_VEC4S; p++) {
      let i = min(input_thread + p * sizes.INPUT_THREADS, sizes.CI4 - 1u);
      let v = gated(prologue(load_x(row * sizes.X_PITCH + i), inputs[p]), gates, i, sizes.CI4);
      //#unroll
      for (var q = 0u; q < OUTPUT_VEC4S; q++) {
        sums[(p * OUTPUT_VEC4S + q) * 4u] += v.x * values[q];
        sums[(p * OUTPUT_VEC4S + q) * 4u + 1u] += v.y * values[q];
        sums[(p * OUTPUT_VEC4S + q) * 4u + 2u] += v.z * values[q];
        sums[(p * OUTPUT_VEC4S + q) * 4u + 3u] += v.w * values[q];
      }
    }
  }
  //#turns
  for (var turn = 0u; turn < TURNS; turn++) {
    //#unroll
    for (var p = 0u; p < INPUTS_AT_A_TIME; p++) {
      //#unroll
      for (var q = 0u; q < OUTPUT_VEC4S; q++) {
        let i = input_thread + (turn * INPUTS_AT_A_TIME + p) * sizes.INPUT_THREADS;
        let o = output_thread + q * sizes.OUTPUT_THREADS;
        let first = (p * OUTPUT_VEC4S + q) * 4u;
        let total = add_splits(array(sums[first], sums[first + 1u], sums[first + 2u], sums[first + 3u]), local);
        if (local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS && i < sizes.CI4 && o < sizes.CO4) {
          //#unroll
          for (var j = 0u; j < 4u; j++) {
            // The padding channels of x are no longer zero behind an activation that is not 0 at 0: their products are.
            partial[(part * 4u * sizes.CI4 + i * 4u + j) * sizes.CO4 + o] =
              select(vec4(0.0), total[j], i * 4u + j < sizes.CI);
          }
        }
      }
    }
    // The sums of the next turn move to the places of this one's: register arrays are registers only where their indices are
    // constants.
    if (IN_TURNS) {
      //#unroll
      for (var k = 0u; k < SUMS; k++) { sums[k] = sums[min(k + SUMS_AT_A_TIME, SUMS - 1u)]; }
    }
  }
  if (BIAS) {
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      let o = output_thread + q * sizes.OUTPUT_THREADS;
      let total = add_splits(array(bias_sums[q], vec4(0.0), vec4(0.0), vec4(0.0)), local)[0];
      if (local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS && input_thread == 0u && o < sizes.CO4) {
        bias_partial[part * sizes.CO4 + o] = total;
      }
    }
  }
}
