// Four rows of a matrix of weights w from `at` on, `stride` vec4s apart. The four lanes of a quad ask for the same rows; with
// the constant SUBGROUPS common/weights.subgroups takes the place of this file.
//#needs w
fn load_weights(at: u32, stride: u32, lane: u32) -> mat4x4<f32> {
  return mat4x4(w[at], w[at + stride], w[at + 2u * stride], w[at + 3u * stride]);
}
