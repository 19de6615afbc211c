// y = act(coef[2, c] * x + coef[3, c]) + residual, one vec4 of channels a thread.
// CHANNELS masks the padding lanes where act(0) is not 0 (sigmoid, hardsigmoid).
//#import common/activation
//#import common/channels
const WG: u32 = 64u;
const SIZE: u32 = 1u; // vec4s
const CHANNELS: u32 = 4u;
const RESIDUAL: bool = false;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= SIZE) { return; }
  const C4 = (CHANNELS + 3u) / 4u;
  let c = i % C4;
  var v = mask_channels(activate(coef[2u * C4 + c] * x[i] + coef[3u * C4 + c]), c, CHANNELS);
  if (RESIDUAL) { v += residual[i]; }
  y[i] = v;
}
