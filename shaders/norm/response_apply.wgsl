// y = f(x) * (1 + weight[c] * response[n, 0, c]) + bias[c], one vec4 of channels a thread. f(x) is x, or with ACTIVATE_INPUT activate(x).
// Padding channels come out zero because x and bias are zero there.
//#import common/activation
//#import common/global_index
const WG = 64u;
const ACTIVATE_INPUT: bool = false;

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
  PIXELS: u32, // of an image
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> response: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c = i % sizes.C4;
  let image = i / (sizes.C4 * sizes.PIXELS);
  var v = load_x(i);
  if (ACTIVATE_INPUT) { v = activate(v); }
  store_y(i, v * (1.0 + weight[c] * response[2u * image * sizes.C4 + c]) + bias[c]);
}
