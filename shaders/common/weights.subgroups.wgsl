enable subgroups;
diagnostic(off, subgroup_uniformity);
// As common/weights, but each lane of a quad loads one of the four rows and all share them. All four lanes must be active.
//#needs w
fn load_weights(at: u32, stride: u32, lane: u32) -> mat4x4<f32> {
  let row = w[at + lane * stride];
  return mat4x4(quadBroadcast(row, 0u), quadBroadcast(row, 1u), quadBroadcast(row, 2u), quadBroadcast(row, 3u));
}
