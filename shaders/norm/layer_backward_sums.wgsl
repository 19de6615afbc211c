// sums[row] = (mean over c of g, mean over c of g * xhat), g = dy * weight, xhat = (x - mean[row]) * rstd[row].
// statistics[row] = (mean, rstd). One row a thread.
//#import common/global_index
const WG = 64u;

struct Sizes {
  ROWS: u32,
  C4: u32,
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let row = global_index(id, workgroups);
  if (row >= sizes.ROWS) { return; }
  let s = statistics[row];
  var sum = vec4(0.0);
  var product = vec4(0.0);
  for (var c = 0u; c < sizes.C4; c++) {
    let g = dy[row * sizes.C4 + c] * weight[c];
    sum += g;
    product += g * (load_x(row * sizes.C4 + c) - s.x);
  }
  let one = vec4(1.0);
  sums[row] = vec2(dot(sum, one), dot(product, one) * s.y) / f32(sizes.CHANNELS);
}
