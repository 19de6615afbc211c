// partial[s, 0, c] = sum dy, partial[s, 1, c] = sum dy * xhat over rows s, s + SPLITS, ...; xhat = (x - mean[row]) * rstd[row].
// statistics[row] = (mean, rstd). One vec4 of channels of one split a thread. dy is zero in padding channels, so the sums
//   are.
//#import common/global_index
const WG = 64u;

struct Sizes {
  ROWS: u32,
  C4: u32,
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SPLITS * sizes.C4) { return; }
  let c = i % sizes.C4;
  let split = i / sizes.C4;
  var sum = vec4(0.0);
  var product = vec4(0.0);
  for (var row = split; row < sizes.ROWS; row += sizes.SPLITS) {
    let g = dy[row * sizes.C4 + c];
    let s = statistics[row];
    sum += g;
    product += g * (load_x(row * sizes.C4 + c) - s.x) * s.y;
  }
  partial[2u * split * sizes.C4 + c] = sum;
  partial[(2u * split + 1u) * sizes.C4 + c] = product;
}
