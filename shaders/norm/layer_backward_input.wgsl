// dx = rstd[row] * (g - mean(g) - xhat * mean(g * xhat)) + addend, means over the channels of a row, g = dy * weight,
// xhat = (x - mean[row]) * rstd[row]; statistics[row] = (mean, rstd).
// THREADS_PER_ROW threads a row, two walks over it, of which the second finds it in the cache.
// Variants as in norm/layer_forward.
//#import common/channels
//#import common/row_sum
const WG: u32 = 64u; //#required
const ADDEND: bool = false;

struct Sizes {
  ROWS: u32,
  C4: u32, // vec4s a row
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * workgroups.x + group.x) * (WG / THREADS_PER_ROW) + local / THREADS_PER_ROW;
  // a row beyond the last reads that and writes nothing: its threads wait at barriers with the others
  let at = min(row, sizes.ROWS - 1u);
  let first = at * sizes.C4;
  let own = local % THREADS_PER_ROW;
  let s = statistics[at];
  var sum = vec4(0.0);
  var product = vec4(0.0);
  for (var c = own; c < sizes.C4; c += THREADS_PER_ROW) {
    let g = dy[first + c] * weight[c];
    sum += g;
    product += g * (load_x(first + c) - s.x);
  }
  let one = vec4(1.0);
  let means = row_sum(vec4(dot(sum, one), dot(product, one) * s.y, 0.0, 0.0), local) / f32(sizes.CHANNELS);
  if (row >= sizes.ROWS) { return; }
  for (var c = own; c < sizes.C4; c += THREADS_PER_ROW) {
    let xhat = (load_x(first + c) - s.x) * s.y;
    var d = mask_channels(s.y * (dy[first + c] * weight[c] - means.x - xhat * means.y), c, sizes.CHANNELS);
    if (ADDEND) { d += addend[first + c]; }
    dx[first + c] = d;
  }
}
