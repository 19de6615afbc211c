// coef[4, c] = (mean, rstd, weight * rstd, bias - mean * weight * rstd) of the running statistics; a vec4 a thread.
//#import common/global_index
const WG = 64u;
const EPS: f32 = 1e-5; //#required

struct Sizes {
  C4: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> running_mean: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> running_var: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let c = global_index(id, workgroups);
  if (c >= sizes.C4) { return; }
  let mean = running_mean[c];
  let rstd = 1.0 / sqrt(running_var[c] + EPS);
  let scale = weight[c] * rstd;
  coef[c] = mean;
  coef[sizes.C4 + c] = rstd;
  coef[2u * sizes.C4 + c] = scale;
  coef[3u * sizes.C4 + c] = bias[c] - mean * scale;
}
