// Merges the blocks' (mean, M2), then
// coef[4, c] = (mean, rstd, weight * rstd, bias - mean * weight * rstd) with rstd = 1 / sqrt(M2 / ROWS + EPS), and
// running = (1 - MOMENTUM) * running + MOMENTUM * (mean; M2 / (ROWS - 1)).
// SLICES threads share a vec4 of channels: each merges every SLICES-th block, then one merges theirs, in order. So
// thousands of blocks take hundreds of steps, and the result does not depend on timing. One slice needs no barrier.
//#import common/blocks
//#import common/moments
const WG = 64u;
const SLICES: u32 = 1u; //#required
const LANES: u32 = 64u; //#required // WG / SLICES: vec4s of channels a workgroup
const MOMENTUM: f32 = 0.1; //#required
const EPS: f32 = 1e-5; //#required

struct Sizes {
  ROWS: u32,
  C4: u32,
  BLOCKS: u32,
  LINES: u32,
  BLOCK_LINES: u32,
  COLUMNS: u32,
  BLOCK_COLUMNS: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> running_var: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> slices: array<Moments, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let c = group.x * LANES + lane;
  var sum = Moments();
  if (c < sizes.C4) {
    for (var b = local / LANES; b < sizes.BLOCKS; b += SLICES) {
      sum = merge(sum, Moments(pixels_of(b), partial[2u * b * sizes.C4 + c], partial[(2u * b + 1u) * sizes.C4 + c]));
    }
  }
  if (SLICES > 1u) {
    slices[local] = sum;
    workgroupBarrier();
  }
  if (local >= LANES || c >= sizes.C4) { return; }
  for (var s = 1u; s < SLICES; s++) { sum = merge(sum, slices[s * LANES + lane]); }
  let rstd = 1.0 / sqrt(sum.m2 / f32(sizes.ROWS) + EPS);
  let scale = weight[c] * rstd;
  coef[c] = sum.mean;
  coef[sizes.C4 + c] = rstd;
  coef[2u * sizes.C4 + c] = scale;
  coef[3u * sizes.C4 + c] = bias[c] - sum.mean * scale;
  running_mean[c] = (1.0 - MOMENTUM) * running_mean[c] + MOMENTUM * sum.mean;
  running_var[c] = (1.0 - MOMENTUM) * running_var[c] + MOMENTUM * sum.m2 / f32(sizes.ROWS - 1u);
}
