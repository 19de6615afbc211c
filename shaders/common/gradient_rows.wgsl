// The gradient of a convolution's output by its rows (pixels), where the raw output beside it may be some channels of a wider tensor:
// rows of Y_PITCH vec4s, of which its own begin at Y_START.
//#import common/gradient
//#needs dy, load_y_raw, CO4, Y_PITCH, Y_START

// The o-th vec4 of a row of the gradient.
fn gradient_at(row: u32, o: u32, k: GradientCoefficients) -> vec4<f32> {
  let at = row * sizes.CO4 + o;
  if (BACKWARD_PROLOGUE) { return k.a * dy[at] + k.b * load_y_raw(row * sizes.Y_PITCH + sizes.Y_START + o) + k.c; }
  return dy[at];
}
