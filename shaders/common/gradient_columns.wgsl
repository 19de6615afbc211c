// Four columns of dy at a time. With the constant SUBGROUPS common/gradient_columns.subgroups takes the place of this file.
//#needs GradientCoefficients, gradient_at, OW
const LANES = 1u; // threads side by side that load dy for each other

// The o-th vec4 of four columns of a row of the gradient, 0 past the row's end.
fn four_gradients(row: u32, column: u32, o: u32, k: GradientCoefficients, lane: u32) -> mat4x4<f32> {
  var columns: mat4x4<f32>;
  //#unroll
  for (var t = 0u; t < 4u; t++) {
    columns[t] = select(vec4(0.0), gradient_at(row * sizes.OW + min(column + t, sizes.OW - 1u), o, k), column + t < sizes.OW);
  }
  return columns;
}
