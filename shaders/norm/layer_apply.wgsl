// y = (x - mean[row]) * rstd[row] * weight[c] + bias[c], one vec4 of channels a thread. statistics[row] = (mean, rstd).
// Padding channels come out zero because weight and bias are zero there.
//#import common/global_index
const WG = 64u;

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c = i % sizes.C4;
  let s = statistics[i / sizes.C4];
  store_y(i, (load_x(i) - s.x) * s.y * weight[c] + bias[c]);
}
