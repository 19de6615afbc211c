// out[i] = IDENTITY * x[i] + sum_s partial[s, i], one vec4 a thread, splits in order.
//#import common/global_index
const WG = 64u;
const IDENTITY: bool = true; //#required

struct Sizes {
  SIZE: u32, // vec4s of out
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  var sum = vec4(0.0);
  if (IDENTITY) { sum = x[i]; }
  for (var s = 0u; s < sizes.SPLITS; s++) { sum += partial[s * sizes.SIZE + i]; }
  out[i] = sum;
}
