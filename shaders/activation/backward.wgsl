// dx = dy * act'(x) + addend, one vec4 of channels a thread.
//#import common/activation
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;

struct Sizes {
  SIZE: u32, // vec4s
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  var v = dy[i] * activate_derivative(load_x(i));
  if (ADDEND) { v += addend[i]; }
  dx[i] = v;
}
