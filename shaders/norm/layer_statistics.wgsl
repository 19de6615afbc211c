// statistics[row] = (mean, 1 / sqrt(variance + EPS)) over the channels of x[row, c]. One row a thread, two walks over it
// (the second finds it in the cache), so that the variance is of deviations from the mean.
//#import common/channels
//#import common/global_index
const WG = 64u;
const EPS: f32 = 1e-6; //#required

struct Sizes {
  ROWS: u32,
  C4: u32, // vec4s a row
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> statistics: array<vec2<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let row = global_index(id, workgroups);
  if (row >= sizes.ROWS) { return; }
  let one = vec4(1.0);
  var sum = vec4(0.0);
  for (var c = 0u; c < sizes.C4; c++) { sum += load_x(row * sizes.C4 + c); }
  let mean = dot(sum, one) / f32(sizes.CHANNELS);
  var squares = vec4(0.0);
  for (var c = 0u; c < sizes.C4; c++) {
    let d = mask_channels(load_x(row * sizes.C4 + c) - mean, c, sizes.CHANNELS);
    squares += d * d;
  }
  statistics[row] = vec2(mean, 1.0 / sqrt(dot(squares, one) / f32(sizes.CHANNELS) + EPS));
}
