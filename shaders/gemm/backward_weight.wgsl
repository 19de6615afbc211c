// partial[s, kh, kw, i, o] = sum over the s-th of SPLITS splits of the rows (n, oh, ow) of
//   f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, i]) * dy[row, o], one group: the weight's gradient as a product of matrices
//   (implicit GEMM), its operands in workgroup memory.
// x [N, H, W, CI4], dy [ROWS, CO4], partial [SPLITS, KH, KW, 4*CI4, CO4], all vec4s of channels. m counts (kh, kw, vec4 of i).
// A workgroup computes a block of INPUT_VEC4S * THREADS_DOWN of m by OUTPUT_VEC4S * THREADS_ACROSS vec4s of output channels,
// of one split. It stages STAGE_ROWS rows of both operands at a time; a thread then adds the products of INPUT_VEC4S by
// OUTPUT_VEC4S vec4s a row from there. reduce/sum_splits adds the splits in order.
// GATHER: as in gemm/forward. PROLOGUE: x is raw, f(x) = activate(scale * x + shift), padding of the image 0.
// GATE: f(x) is multiplied with a number a channel and image (common/gate), without GATHER only.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this stages A g + B y_raw + C. coef: with PROLOGUE
// [mean, rstd, scale, shift], CI4 vec4s each, then [A, B, C], CO4 each.
// BIAS: also bias_partial[s, o], the sum of dy alone, by the threads of the first vec4 of m.
// Taken where the tuning says workgroupMemory: see gemm/forward.
//#import common/activation
//#import common/input
//#import common/gate
//#import common/gradient_rows
//#import common/kernel
const WG = 128u;
const GATHER: bool = false;
const BIAS: bool = false;
const INPUT_VEC4S: u32 = 1u; //#required
const OUTPUT_VEC4S: u32 = 1u; //#required
const SUMS: u32 = 4u; //#required // 4 * INPUT_VEC4S * OUTPUT_VEC4S
const THREADS_ACROSS: u32 = 8u; //#required // threads side by side over output channels
const STAGE_ROWS: u32 = 8u; //#required
const STAGED_INPUTS: u32 = 1u; //#required // vec4s of f(x) that a thread stages: ceil(STAGE_ROWS * BLOCK_INPUTS / WG)
const STAGED_OUTPUTS: u32 = 1u; //#required // of dy
const THREADS_DOWN = WG / THREADS_ACROSS;
const BLOCK_INPUTS = INPUT_VEC4S * THREADS_DOWN; // at most WG
const BLOCK_OUTPUTS = OUTPUT_VEC4S * THREADS_ACROSS; // at most WG

struct Sizes {
  ROWS: u32,
  PIXELS: u32, // rows of an image
  H: u32, // of x
  W: u32,
  OH: u32, // of dy
  OW: u32,
  CI: u32,
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x lies
  Y_PITCH: u32, // of a row where y_raw lies
  Y_START: u32, // of that row, where y_raw's begin
  SPLITS: u32,
  BLOCKS_DOWN: u32, // ceil(KH * KW * CI4 / BLOCK_INPUTS)
  BLOCKS_ACROSS: u32, // ceil(CO4 / BLOCK_OUTPUTS)
  BACKWARD_COEF: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE || BACKWARD_PROLOGUE
@group(0) @binding(3) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16
@group(0) @binding(6) var<storage, read_write> bias_partial: array<vec4<f32>>; //#if BIAS
@group(0) @binding(10) var<uniform> sizes: Sizes;

// f(x) and dy, nested so that a thread's index is the only one that is no constant: see common/staging
var<workgroup> staged_inputs: array<array<array<vec4<f32>, THREADS_DOWN>, INPUT_VEC4S>, STAGE_ROWS>;
var<workgroup> staged_outputs: array<array<array<vec4<f32>, THREADS_ACROSS>, OUTPUT_VEC4S>, STAGE_ROWS>;

// Where x lies that a tap meets from a row of dy; beyond the image the nearest pixel.
fn place_of(row: u32, kh: u32, kw: u32, i: u32) -> u32 {
  if (GATHER) {
    // Places above the image wrap to huge numbers: one comparison leaves out those on both sides.
    let line = row / sizes.OW;
    let h = line % sizes.OH * SH + kh - PH;
    let w = row % sizes.OW * SW + kw - PW;
    return ((line / sizes.OH * sizes.H + min(h, sizes.H - 1u)) * sizes.W + min(w, sizes.W - 1u)) * sizes.X_PITCH + i;
  }
  return row * sizes.X_PITCH + i;
}

fn in_image(row: u32, kh: u32, kw: u32) -> bool {
  if (GATHER) { return (row / sizes.OW % sizes.OH * SH + kh - PH < sizes.H) & (row % sizes.OW * SW + kw - PW < sizes.W); }
  return true;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = id.x + id.y * workgroups.x;
  let split = index / (sizes.BLOCKS_DOWN * sizes.BLOCKS_ACROSS);
  if (split >= sizes.SPLITS) { return; }
  let first_m = index / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * BLOCK_INPUTS;
  let first_o = index % sizes.BLOCKS_ACROSS * BLOCK_OUTPUTS;
  let inputs = KH * KW * sizes.CI4;
  // A thread stages the same channels at every turn. Beyond the edges the last ones are loaded again, and not written.
  let m = min(first_m + local % BLOCK_INPUTS, inputs - 1u);
  let tap = m / sizes.CI4;
  let i = m % sizes.CI4;
  let input = input_coefficients(i, sizes.CI4);
  let o = min(first_o + local % BLOCK_OUTPUTS, sizes.CO4 - 1u);
  let gradient = gradient_coefficients(o, sizes.CO4);
  let down = local / THREADS_ACROSS;
  let across = local % THREADS_ACROSS;
  let rows_per_split = (sizes.ROWS + sizes.SPLITS - 1u) / sizes.SPLITS;
  let end = min((split + 1u) * rows_per_split, sizes.ROWS);
  var sums: array<vec4<f32>, SUMS>;
  var bias_sums: array<vec4<f32>, OUTPUT_VEC4S>;
  var fetched: array<vec4<f32>, STAGED_INPUTS>;
  var fetched_gradients: array<FetchedGradient, STAGED_OUTPUTS>;
  let begin = split * rows_per_split;
  for (var first = begin; first < end + STAGE_ROWS; first += STAGE_ROWS) {
    // What the next stage holds is on its way while the last one is multiplied. Beyond the last row it is loaded again, and 0 in its
    // place, so that every stage has as many.
    if (first < end) {
      //#unroll
      for (var s = 0u; s < STAGED_INPUTS; s++) {
        fetched[s] = load_x(place_of(min(first + local / BLOCK_INPUTS + s * (WG / BLOCK_INPUTS), end - 1u), tap / KW, tap % KW, i));
      }
      //#unroll
      for (var s = 0u; s < STAGED_OUTPUTS; s++) {
        fetched_gradients[s] = fetch_gradient(min(first + local / BLOCK_OUTPUTS + s * (WG / BLOCK_OUTPUTS), end - 1u), o);
      }
    }
    if (first > begin) {
      //#unroll
      for (var r = 0u; r < STAGE_ROWS; r++) {
        var values: array<vec4<f32>, OUTPUT_VEC4S>;
        //#unroll
        for (var q = 0u; q < OUTPUT_VEC4S; q++) { values[q] = staged_outputs[r][q][across]; }
        if (BIAS) {
          //#unroll
          for (var q = 0u; q < OUTPUT_VEC4S; q++) { bias_sums[q] += values[q]; }
        }
        //#unroll
        for (var p = 0u; p < INPUT_VEC4S; p++) {
          let v = staged_inputs[r][p][down];
          //#unroll
          for (var q = 0u; q < OUTPUT_VEC4S; q++) {
            sums[(p * OUTPUT_VEC4S + q) * 4u] += v.x * values[q];
            sums[(p * OUTPUT_VEC4S + q) * 4u + 1u] += v.y * values[q];
            sums[(p * OUTPUT_VEC4S + q) * 4u + 2u] += v.z * values[q];
            sums[(p * OUTPUT_VEC4S + q) * 4u + 3u] += v.w * values[q];
          }
        }
      }
    }
    workgroupBarrier();
    if (first < end) {
      //#unroll
      for (var s = 0u; s < STAGED_INPUTS; s++) {
        let r = local / BLOCK_INPUTS + s * (WG / BLOCK_INPUTS);
        let at = min(first + r, end - 1u);
        let value = gated(prologue(fetched[s], input), gates_of(at, sizes.CI4), i, sizes.CI4);
        if (r < STAGE_ROWS) { staged_inputs[r][local % BLOCK_INPUTS / THREADS_DOWN][local % THREADS_DOWN] = select(vec4(0.0), value, in_image(at, tap / KW, tap % KW)); }
      }
      //#unroll
      for (var s = 0u; s < STAGED_OUTPUTS; s++) {
        let r = local / BLOCK_OUTPUTS + s * (WG / BLOCK_OUTPUTS);
        if (r < STAGE_ROWS) {
          staged_outputs[r][local % BLOCK_OUTPUTS / THREADS_ACROSS][local % THREADS_ACROSS] =
            select(vec4(0.0), gradient_of(fetched_gradients[s], gradient), first + r < end);
        }
      }
    }
    workgroupBarrier();
  }
  //#unroll
  for (var p = 0u; p < INPUT_VEC4S; p++) {
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      let own = first_m + down + p * THREADS_DOWN;
      let to = first_o + across + q * THREADS_ACROSS;
      if (own < inputs && to < sizes.CO4) {
        //#unroll
        for (var j = 0u; j < 4u; j++) {
          // The padding channels of x are no longer zero behind an activation that is not 0 at 0: their products are.
          partial[((split * inputs + own) * 4u + j) * sizes.CO4 + to] =
            select(vec4(0.0), sums[(p * OUTPUT_VEC4S + q) * 4u + j], own % sizes.CI4 * 4u + j < sizes.CI);
        }
      }
    }
  }
  if (BIAS) {
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      let to = first_o + across + q * THREADS_ACROSS;
      if (first_m + down == 0u && to < sizes.CO4) { bias_partial[split * sizes.CO4 + to] = bias_sums[q]; }
    }
  }
}
