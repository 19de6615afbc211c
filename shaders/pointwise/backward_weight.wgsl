// partial[s, i, o] = sum over the s-th SHARED_SPLITS of SPLITS splits of the rows of f(x[row, i]) * dy[row, o]: the gradient of a 1x1
//   convolution's
// weight. x [OW, CI4], dy [OW, CO4], partial [SPLITS / SHARED_SPLITS, 4*CI4, CO4], all vec4s of channels.
// A thread owns the products of INPUT_VEC4S vec4s of input channels (INPUT_THREADS apart) and OUTPUT_VEC4S of output
// channels (OUTPUT_THREADS apart) of one split: per row it loads INPUT_VEC4S + OUTPUT_VEC4S for 4*INPUT_VEC4S*OUTPUT_VEC4S
// vec4 multiply-adds. reduce/sum_splits adds the splits in order.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift). BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of
// which this reads A g + B y_raw + C. GATE: f(x) is multiplied with a number a channel and image: common/gate. coef: with PROLOGUE [mean, rstd, scale, shift], CI4 vec4s each, then [A, B, C], CO4 each.
// BIAS: also bias_partial[s, o], the sum of dy alone, by the threads of the first input channels.
// Variants, with what they brought on SwiftShader (docs/performance.md):
// - The tile is that of the fewest loads a product: 329 to 287 ms a step for the pointwise weight gradients.
// - pointwise/backward_weight_rows, where sums may leave the registers.
// - SPLITS are as few as fill the device: the last sums of all weight gradients 90 to 14 ms a step.
//#import common/product_backward_weight
const WG = 64u;

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
  let rows_per_split = (sizes.OW + sizes.SPLITS - 1u) / sizes.SPLITS;
  var inputs: array<InputCoefficients, INPUT_VEC4S>;
  //#unroll
  for (var p = 0u; p < INPUT_VEC4S; p++) { inputs[p] = input_coefficients(input_of(input_thread, p), sizes.CI4); }
  var gradients: array<GradientCoefficients, OUTPUT_VEC4S>;
  //#unroll
  for (var q = 0u; q < OUTPUT_VEC4S; q++) { gradients[q] = gradient_coefficients(output_of(output_thread, q), sizes.CO4); }
  var products: array<mat4x4<f32>, PRODUCTS>;
  var bias_sums: array<vec4<f32>, OUTPUT_VEC4S>;
  for (var row = split * rows_per_split; row < min((split + 1u) * rows_per_split, sizes.OW); row++) {
    var values: array<vec4<f32>, OUTPUT_VEC4S>;
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      values[q] = gradient_at(row, output_of(output_thread, q), gradients[q]);
      if (BIAS) { bias_sums[q] += values[q]; }
    }
    let gates = gates_of(row, sizes.CI4);
    //#unroll
    for (var p = 0u; p < INPUT_VEC4S; p++) {
      let i = input_of(input_thread, p);
      let v = gated(prologue(load_x(row * sizes.X_PITCH + i), inputs[p]), gates, i, sizes.CI4);
      //#unroll
      for (var q = 0u; q < OUTPUT_VEC4S; q++) {
        products[p * OUTPUT_VEC4S + q] += mat4x4(v.x * values[q], v.y * values[q], v.z * values[q], v.w * values[q]);
      }
    }
  }
  write_products(part, input_thread, output_thread, local, &products, &bias_sums);
}
