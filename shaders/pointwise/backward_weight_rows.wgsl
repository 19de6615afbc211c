// partial[s, i, o] = that of pointwise/backward_weight, of which a thread takes four rows at a time, as products of 4 x 4 matrices.
// A thread owns the products of INPUT_VEC4S vec4s of input channels (INPUT_THREADS apart) and OUTPUT_VEC4S of output
// channels (OUTPUT_THREADS apart) of one split: per four rows it loads 4*INPUT_VEC4S of x and, by threads that share them, OUTPUT_VEC4S of dy.
// reduce/sum_splits adds the splits in order.
// PROLOGUE, BACKWARD_PROLOGUE, GATE, BIAS and coef as there.
// Taken where sums may leave the registers: half the loads a product, and of a product of matrices SwiftShader makes half the
// instructions (docs/performance.md).
//#import common/product_backward_weight
//#import common/gradient_columns
const WG = 64u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = column_of(id.x + id.y * workgroups.x, local);
  let lane = index % LANES;
  let output_thread = index / LANES % sizes.OUTPUT_THREADS;
  let inputs_by_lanes = (sizes.INPUT_THREADS + LANES - 1u) / LANES;
  let input_thread = index / (LANES * sizes.OUTPUT_THREADS) % inputs_by_lanes * LANES + lane; // past the last it only loads dy
  let part = index / (LANES * sizes.OUTPUT_THREADS * inputs_by_lanes);
  let split = part * SHARED_SPLITS + local / COLUMNS; // of those past the last, which have no rows, nothing is written
  var inputs: array<InputCoefficients, INPUT_VEC4S>;
  //#unroll
  for (var p = 0u; p < INPUT_VEC4S; p++) { inputs[p] = input_coefficients(input_of(input_thread, p), sizes.CI4); }
  var gradients: array<GradientCoefficients, OUTPUT_VEC4S>;
  //#unroll
  for (var q = 0u; q < OUTPUT_VEC4S; q++) { gradients[q] = gradient_coefficients(output_of(output_thread, q), sizes.CO4); }
  var products: array<mat4x4<f32>, PRODUCTS>;
  var bias_sums: array<vec4<f32>, OUTPUT_VEC4S>;
  let steps = (sizes.OW + 3u) / 4u;
  let steps_per_split = (steps + sizes.SPLITS - 1u) / sizes.SPLITS;
  for (var step = split * steps_per_split; step < min((split + 1u) * steps_per_split, steps); step++) {
    var d: array<mat4x4<f32>, OUTPUT_VEC4S>;
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      d[q] = four_gradients(0u, step * 4u, output_of(output_thread, q), gradients[q], lane);
      if (BIAS) { bias_sums[q] += d[q] * vec4(1.0); }
    }
    //#unroll
    for (var p = 0u; p < INPUT_VEC4S; p++) {
      let i = input_of(input_thread, p);
      var rows: mat4x4<f32>;
      //#unroll
      for (var t = 0u; t < 4u; t++) {
        let row = min(step * 4u + t, sizes.OW - 1u);
        rows[t] = gated(prologue(load_x(row * sizes.X_PITCH + i), inputs[p]), gates_of(row, sizes.CI4), i, sizes.CI4);
      }
      //#unroll
      for (var q = 0u; q < OUTPUT_VEC4S; q++) { products[p * OUTPUT_VEC4S + q] += d[q] * transpose(rows); }
    }
  }
  write_products(part, input_thread, output_thread, local, &products, &bias_sums);
}
