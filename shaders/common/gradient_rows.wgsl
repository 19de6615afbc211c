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

// What a gradient is made of, as it is loaded.
struct FetchedGradient {
  g: vec4<f32>,
  y: vec4<f32>,
}

fn fetch_gradient(row: u32, o: u32) -> FetchedGradient {
  if (BACKWARD_PROLOGUE) { return FetchedGradient(dy[row * sizes.CO4 + o], load_y_raw(row * sizes.Y_PITCH + sizes.Y_START + o)); }
  return FetchedGradient(dy[row * sizes.CO4 + o], vec4(0.0));
}

fn gradient_of(fetched: FetchedGradient, k: GradientCoefficients) -> vec4<f32> {
  if (BACKWARD_PROLOGUE) { return k.a * fetched.g + k.b * fetched.y + k.c; }
  return fetched.g;
}
