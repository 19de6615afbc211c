// y = act(x), one vec4 of channels a thread.
// CHANNELS masks the padding channels where act(0) is not 0 (sigmoid, hardsigmoid, softplus).
//#import common/activation
//#import common/channels
//#import common/global_index
const WG = 64u;

struct Sizes {
  SIZE: u32, // vec4s
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  store_y(i, mask_channels(activate(load_x(i)), i % ((sizes.CHANNELS + 3u) / 4u), sizes.CHANNELS));
}
