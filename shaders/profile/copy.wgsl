// y = x, one vec4 a thread: neighbouring threads move neighbouring vec4s, as the fastest kernels do. Measures the
// device's memory bandwidth.
//#import common/global_index
const WG = 64u;
const SIZE: u32 = 1u; //#required // vec4s

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= SIZE) { return; }
  y[i] = x[i];
}
