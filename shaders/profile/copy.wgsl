// y = x, one vec4 a thread: neighbouring threads move neighbouring vec4s, as the fastest kernels do. Measures the
// device's memory bandwidth.
const WG: u32 = 64u;
const SIZE: u32 = 1u; // vec4s

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= SIZE) { return; }
  y[i] = x[i];
}
