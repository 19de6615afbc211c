// Batch norm over what a convolution reads, applied on the way: of the raw output x of the convolution before, PROLOGUE
// makes activate(scale * x + shift); EPILOGUE takes the activation's derivative there. `coef` begins with the rows
// [mean, rstd, scale, shift]. ACTIVATE_INPUT: PROLOGUE of an activation without a batch norm, activate(x). DERIVATIVE: x is what
// such an activation wrote, or was given, which tells its derivative.
// Padding channels have scale = shift = 0; an activation that is not 0 at 0 is masked by what it is multiplied with.
//#import common/activation
//#needs coef
const PROLOGUE: bool = false;
const ACTIVATE_INPUT: bool = false;
const EPILOGUE: bool = false;
const DERIVATIVE: bool = false;

struct InputCoefficients {
  mean: vec4<f32>,
  rstd: vec4<f32>,
  scale: vec4<f32>,
  shift: vec4<f32>,
}

// The coefficients of the c-th of c4 vec4s of channels.
fn input_coefficients(c: u32, c4: u32) -> InputCoefficients {
  if (EPILOGUE) { return InputCoefficients(coef[c], coef[c4 + c], coef[2u * c4 + c], coef[3u * c4 + c]); }
  if (PROLOGUE) { return InputCoefficients(vec4(0.0), vec4(0.0), coef[2u * c4 + c], coef[3u * c4 + c]); }
  return InputCoefficients();
}

fn prologue(x: vec4<f32>, k: InputCoefficients) -> vec4<f32> {
  if (PROLOGUE) { return activate(x * k.scale + k.shift); }
  if (ACTIVATE_INPUT) { return activate(x); }
  return x;
}
