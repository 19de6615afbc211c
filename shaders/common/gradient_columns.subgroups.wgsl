enable subgroups;
diagnostic(off, subgroup_uniformity);
// As common/gradient_columns, but the lanes of a quad ask for the same row, columns and channels: each loads one of the four columns and all
// share them. All four lanes must be active.
//#needs GradientCoefficients, gradient_at, OW
const LANES = 4u;

fn four_gradients(row: u32, column: u32, o: u32, k: GradientCoefficients, lane: u32) -> mat4x4<f32> {
  let ow = column + lane;
  let own = select(vec4(0.0), gradient_at(row * sizes.OW + min(ow, sizes.OW - 1u), o, k), ow < sizes.OW);
  return mat4x4(quadBroadcast(own, 0u), quadBroadcast(own, 1u), quadBroadcast(own, 2u), quadBroadcast(own, 3u));
}
