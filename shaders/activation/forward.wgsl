// y = act(x), one vec4 of channels a thread.
// CHANNELS masks the padding lanes where act(0) is not 0 (sigmoid, hardsigmoid).
//#import common/activation
//#import common/channels
const WG: u32 = 64u;

struct Sizes {
  SIZE: u32, // vec4s
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= sizes.SIZE) { return; }
  y[i] = mask_channels(activate(x[i]), i % ((sizes.CHANNELS + 3u) / 4u), sizes.CHANNELS);
}
