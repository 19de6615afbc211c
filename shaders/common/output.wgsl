// What a convolution writes of a sum: y = activate(sum + bias) + residual, with ACTIVATE_LAST activate(sum + bias + residual), or in inference with NORM, where `bias` holds the
// rows [mean, rstd, scale, shift] of the batch norm behind it, y = activate(scale * sum + shift) + residual.
// In inference a convolution so writes what stands behind it: 107 dispatches in the place of 124, 1.1 x faster on
// SwiftShader (docs/performance.md).
//#import common/activation
//#needs bias, load_residual
const BIAS: bool = false;
const NORM: bool = false;
const ACTIVATE: bool = false;
const RESIDUAL: bool = false;
const ACTIVATE_LAST: bool = false;

struct OutputCoefficients {
  scale: vec4<f32>,
  shift: vec4<f32>,
}

// The coefficients of the c-th of c4 vec4s of channels.
fn output_coefficients(c: u32, c4: u32) -> OutputCoefficients {
  if (NORM) { return OutputCoefficients(bias[2u * c4 + c], bias[3u * c4 + c]); }
  if (BIAS) { return OutputCoefficients(vec4(1.0), bias[c]); }
  return OutputCoefficients(vec4(1.0), vec4(0.0));
}

// The at-th vec4 of y.
fn finish(sum: vec4<f32>, k: OutputCoefficients, at: u32) -> vec4<f32> {
  var y = sum + k.shift;
  if (NORM) { y = sum * k.scale + k.shift; }
  if (ACTIVATE) { y = activate(y); }
  if (RESIDUAL) { y += load_residual(at); }
  if (ACTIVATE_LAST) { y = activate(y); }
  return y;
}
