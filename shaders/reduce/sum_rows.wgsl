// partial[s, c] = sum over the s-th of SPLITS splits of the rows of x[row, c]: the gradient of a bias.
// One vec4 of channels of one split a thread; neighbours read neighbouring channels.
//#import common/global_index
const WG = 64u;

struct Sizes {
  ROWS: u32,
  C4: u32, // vec4s a row
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SPLITS * sizes.C4) { return; }
  let c = i % sizes.C4;
  let split = i / sizes.C4;
  let rows_per_split = (sizes.ROWS + sizes.SPLITS - 1u) / sizes.SPLITS;
  var sum = vec4(0.0);
  for (var row = split * rows_per_split; row < min((split + 1u) * rows_per_split, sizes.ROWS); row++) { sum += x[row * sizes.C4 + c]; }
  partial[i] = sum;
}
