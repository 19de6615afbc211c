// y = (x - mean) * rstd * weight[c] + bias[c] over the channels of each row, rstd = 1 / sqrt(variance + EPS);
// statistics[row] = (mean, rstd). Padding channels come out zero because weight and bias are zero there.
// THREADS_PER_ROW threads a row, three walks over it, of which the last two find it in the cache: for the mean, for the variance,
// which is so of deviations from the mean, and to write.
// Variants: one thread a row, or as many as share the sums of a batch norm (norm/batch_finish), so that neighbours read
// neighbouring memory. Not measured on a GPU.
//#import common/channels
//#import common/row_sum
const WG: u32 = 64u; //#required
const EPS: f32 = 1e-6; //#required

struct Sizes {
  ROWS: u32,
  C4: u32, // vec4s a row
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * workgroups.x + group.x) * (WG / THREADS_PER_ROW) + local / THREADS_PER_ROW;
  // a row beyond the last reads that and writes nothing: its threads wait at barriers with the others
  let first = min(row, sizes.ROWS - 1u) * sizes.C4;
  let own = local % THREADS_PER_ROW;
  let one = vec4(1.0);
  var sum = vec4(0.0);
  for (var c = own; c < sizes.C4; c += THREADS_PER_ROW) { sum += load_x(first + c); }
  let mean = dot(row_sum(sum, local), one) / f32(sizes.CHANNELS);
  var squares = vec4(0.0);
  for (var c = own; c < sizes.C4; c += THREADS_PER_ROW) {
    let d = mask_channels(load_x(first + c) - mean, c, sizes.CHANNELS);
    squares += d * d;
  }
  let rstd = 1.0 / sqrt(dot(row_sum(squares, local), one) / f32(sizes.CHANNELS) + EPS);
  if (row >= sizes.ROWS) { return; }
  if (own == 0u) { statistics[row] = vec2(mean, rstd); }
  for (var c = own; c < sizes.C4; c += THREADS_PER_ROW) {
    store_y(first + c, (load_x(first + c) - mean) * rstd * weight[c] + bias[c]);
  }
}
