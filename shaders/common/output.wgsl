// What a convolution writes: its result, or with ACTIVATE the activation of it. Needs common/activation.
const ACTIVATE: bool = false;

fn finish(y: vec4<f32>) -> vec4<f32> {
  if (ACTIVATE) { return activate(y); }
  return y;
}
