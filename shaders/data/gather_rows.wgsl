// out[n] = rows[order[step.batch_offset + n]], SIZE4 vec4s each; zero from the step's rows on. A vec4 a thread.
//#import common/global_index
//#import common/step
const WG = 64u;

struct Sizes {
  N: u32,
  SIZE4: u32,
}

@group(0) @binding(0) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.SIZE4) { return; }
  let n = index / sizes.SIZE4;
  var v = vec4(0.0);
  if (n < step.rows) { v = rows[order[step.batch_offset + n] * sizes.SIZE4 + index % sizes.SIZE4]; }
  out[index] = v;
}
