// Batch norm's backward pass applied where the gradient is read: behind a batch norm the gradient of a convolution's raw
// output is A g + B y_raw + C per channel, where g, here dy, is the gradient behind the norm. A, B and C are the rows of coef
// from BACKWARD_COEF on.
//#needs dy, load_y_raw, coef, BACKWARD_COEF
const BACKWARD_PROLOGUE: bool = false;

struct GradientCoefficients {
  a: vec4<f32>,
  b: vec4<f32>,
  c: vec4<f32>,
}

// The coefficients of the c-th of c4 vec4s of channels.
fn gradient_coefficients(c: u32, c4: u32) -> GradientCoefficients {
  if (BACKWARD_PROLOGUE) {
    let first = sizes.BACKWARD_COEF + c;
    return GradientCoefficients(coef[first], coef[first + c4], coef[first + 2u * c4]);
  }
  return GradientCoefficients();
}

// The i-th vec4 of the gradient.
fn load_gradient(i: u32, k: GradientCoefficients) -> vec4<f32> {
  if (BACKWARD_PROLOGUE) { return k.a * dy[i] + k.b * load_y_raw(i) + k.c; }
  return dy[i];
}
