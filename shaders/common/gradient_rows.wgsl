// The gradient of a convolution's output by its rows (pixels), where the raw output beside it may be some channels of a wider tensor:
// rows of Y_PITCH vec4s, of which its own begin at Y_START.
//#import common/gradient
//#needs dy, load_y_raw, CO4, Y_PITCH, Y_START

// What the o-th vec4 of a row is made of: it may be loaded long before it is made.
struct FetchedGradient {
  g: vec4<f32>,
  y: vec4<f32>,
}

fn fetch_gradient(row: u32, o: u32) -> FetchedGradient {
  let at = row * sizes.CO4 + o;
  if (BACKWARD_PROLOGUE) { return FetchedGradient(dy[at], load_y_raw(row * sizes.Y_PITCH + sizes.Y_START + o)); }
  return FetchedGradient(dy[at], vec4(0.0));
}

fn gradient_of(fetched: FetchedGradient, k: GradientCoefficients) -> vec4<f32> {
  if (BACKWARD_PROLOGUE) { return k.a * fetched.g + k.b * fetched.y + k.c; }
  return fetched.g;
}

// The o-th vec4 of a row of the gradient.
fn gradient_at(row: u32, o: u32, k: GradientCoefficients) -> vec4<f32> {
  return gradient_of(fetch_gradient(row, o), k);
}
