// Merges the blocks' (mean, M2), then
// coef[4, c] = (mean, rstd, weight * rstd, bias - mean * weight * rstd) with rstd = 1 / sqrt(M2 / ROWS + EPS), and
// running = (1 - MOMENTUM) * running + MOMENTUM * (mean; M2 / (ROWS - 1)).
// THREADS_PER_VEC4 threads share a vec4 of channels: each merges every THREADS_PER_VEC4-th block, then sixteen merge theirs
// and one the sixteen's, in order. So thousands of blocks take hundreds of steps, and the result does not depend on timing. One thread alone needs
// no barrier.
// Means are merged as differences from the first block's: the mean itself, which may be thousands of deviations from zero,
// is rounded once and not once a block. What it is off by, the gradient of the weight is off by times sum g.
// PREFIX: the first so many vec4s of channels are another norm's too, whose merged moments [2, PREFIX] are `before`: a concatenation's.
// MOMENTS: writes its own merged moments [2, C4], mean and M2, for such a norm.
// Variants: one thread a vec4 up to as many blocks as the tuning says (`serial`), beyond 16, 64 or 256 and a barrier. Short
// sums without a barrier took 107 to 34 ms a step on SwiftShader (docs/performance.md).
//#import common/blocks
//#import common/moments
const WG: u32 = 64u; //#required
const THREADS_PER_VEC4: u32 = 1u; //#required
const TERMS_AT_A_TIME: u32 = 1u; //#required // loaded before any is added: a GPU then waits once for all of them
const VEC4S_PER_WORKGROUP = WG / THREADS_PER_VEC4; // vec4s of channels
const MOMENTUM: f32 = 0.1; //#required
const EPS: f32 = 1e-5; //#required
const MOMENTS: bool = false;

struct Sizes {
  ROWS: u32,
  C4: u32,
  PREFIX: u32,
  BLOCKS: u32,
  GRID_ROWS: u32,
  ROWS_PER_BLOCK: u32,
  GRID_COLUMNS: u32,
  COLUMNS_PER_BLOCK: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> running_var: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> before: array<vec4<f32>>; //#if PREFIX
@group(0) @binding(7) var<storage, read_write> moments: array<vec4<f32>>; //#if MOMENTS
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> shared_sums: array<Moments, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let column = local % VEC4S_PER_WORKGROUP;
  let c = group.x * VEC4S_PER_WORKGROUP + column;
  var sum = Moments();
  var first = vec4(0.0);
  let own4 = sizes.C4 - sizes.PREFIX;
  if (c >= sizes.PREFIX && c < sizes.C4) {
    let own = c - sizes.PREFIX;
    first = partial[own];
    for (var b = local / VEC4S_PER_WORKGROUP; b < sizes.BLOCKS; b += TERMS_AT_A_TIME * THREADS_PER_VEC4) {
      var terms: array<Moments, TERMS_AT_A_TIME>;
      //#unroll
      for (var j = 0u; j < TERMS_AT_A_TIME; j++) {
        let block = min(b + j * THREADS_PER_VEC4, sizes.BLOCKS - 1u);
        // `merge` leaves out what has a count of zero
        let pixels = select(0.0, pixels_of(block), b + j * THREADS_PER_VEC4 < sizes.BLOCKS);
        terms[j] = Moments(pixels, partial[2u * block * own4 + own] - first, partial[(2u * block + 1u) * own4 + own]);
      }
      //#unroll
      for (var j = 0u; j < TERMS_AT_A_TIME; j++) { sum = merge(sum, terms[j]); }
    }
  }
  if (THREADS_PER_VEC4 > 1u) {
    shared_sums[local] = sum;
    workgroupBarrier();
  }
  if (THREADS_PER_VEC4 > 16u) {
    // of many threads, sixteen take those of the others first
    if (local < 16u * VEC4S_PER_WORKGROUP) {
      for (var t = 16u; t < THREADS_PER_VEC4; t += 16u) { sum = merge(sum, shared_sums[local + t * VEC4S_PER_WORKGROUP]); }
      shared_sums[local] = sum;
    }
    workgroupBarrier();
  }
  if (local >= VEC4S_PER_WORKGROUP || c >= sizes.C4) { return; }
  for (var s = 1u; s < min(THREADS_PER_VEC4, 16u); s++) { sum = merge(sum, shared_sums[s * VEC4S_PER_WORKGROUP + column]); }
  if (c < sizes.PREFIX) { //#if PREFIX
    first = before[c];
    sum = Moments(f32(sizes.ROWS), vec4(0.0), before[sizes.PREFIX + c]);
  }
  let mean = first + sum.mean;
  let rstd = 1.0 / sqrt(sum.m2 / f32(sizes.ROWS) + EPS);
  let scale = weight[c] * rstd;
  if (MOMENTS) {
    moments[c] = mean;
    moments[sizes.C4 + c] = sum.m2;
  }
  coef[c] = mean;
  coef[sizes.C4 + c] = rstd;
  coef[2u * sizes.C4 + c] = scale;
  coef[3u * sizes.C4 + c] = bias[c] - mean * scale;
  running_mean[c] = (1.0 - MOMENTUM) * running_mean[c] + MOMENTUM * mean;
  running_var[c] = (1.0 - MOMENTUM) * running_var[c] + MOMENTUM * sum.m2 / f32(sizes.ROWS - 1u);
}
