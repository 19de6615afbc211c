// y[row, o] = bias[o] + sum_{kh, kw, i} f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, i]) * w[kh, kw, i, o], one group: a
//   convolution as a product of matrices (implicit GEMM), its operands in workgroup memory; rows = all pixels (n, oh, ow).
// x [N, H, W, CI4], y [ROWS, CO4], w [KH, KW, 4*CI4, CO4], all vec4s of channels. k counts (kh, kw, vec4 of i).
// A workgroup computes a block of ROWS_PER_BLOCK rows by VEC4S_PER_THREAD * THREADS_ACROSS vec4s of output channels. It
// stages STAGE_DEPTH k of f(x) and of w at a time, each read and activated once; a thread then multiplies ROWS_PER_TILE rows
// by VEC4S_PER_THREAD vec4s from there, while the next stage is on its way.
// So a vec4 of x is read from memory once a tap for VEC4S_PER_THREAD * THREADS_ACROSS vec4s of y, and one of w once for
// ROWS_PER_BLOCK rows.
// GATHER: rows of x are those that a tap meets; without it a row of y is a row of x, as in a 1x1 convolution of stride 1.
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift];
// padding of the image stays 0.
// GATE: f(x) is multiplied with a number a channel and image (common/gate), without GATHER only.
// STATISTICS: partial[block, (mean, M2), o] over the block's rows of y, merged in the order of the threads. What is
// written: common/output.
// Taken where the tuning says workgroupMemory, which SwiftShader's does not: there a vec4 from workgroup memory takes 9 ns,
// from a buffer 5 to 10, and a workgroup with a barrier about 75 us. What it brings on a GPU: docs/performance.md.
//#import common/product_forward
//#import common/kernel
//#import common/staging
//#import common/moments
const WG = 128u;
const GATHER: bool = false;

struct Sizes {
  ROWS: u32,
  PIXELS: u32, // rows of an image
  H: u32, // of x
  W: u32,
  OH: u32, // of y
  OW: u32,
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x lies
  Y_PITCH: u32, // of a row where y lies
  Y_START: u32, // of that row, where y's begin
  CHANNEL_THREADS: u32, // ceil(CO4 / VEC4S_PER_THREAD) or more
  ROWS_PER_BLOCK: u32, // rows whose statistics are summed together
  BLOCKS: u32, // ceil(ROWS / ROWS_PER_BLOCK)
}

@group(0) @binding(10) var<uniform> sizes: Sizes;

// Where a row of y finds its taps in x; the first may wrap below zero.
fn window_of(row: u32) -> Window {
  if (GATHER) {
    let line = row / sizes.OW;
    return Window(line / sizes.OH * sizes.H, line % sizes.OH * SH - PH, row % sizes.OW * SW - PW);
  }
  return Window(row, 0u, 0u);
}

// Where x lies that a tap of a window meets; beyond the image the nearest pixel.
fn place_of(window: Window, kh: u32, kw: u32, i: u32) -> u32 {
  if (GATHER) {
    // Places above the image have wrapped to huge numbers: one comparison leaves out those on both sides.
    return ((window.image + min(window.h + kh, sizes.H - 1u)) * sizes.W + min(window.w + kw, sizes.W - 1u)) * sizes.X_PITCH + i;
  }
  return window.image * sizes.X_PITCH + i;
}

fn in_image(window: Window, kh: u32, kw: u32) -> bool {
  if (GATHER) { return (window.h + kh < sizes.H) & (window.w + kw < sizes.W); }
  return true;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = id.x + id.y * workgroups.x;
  let across = sizes.CHANNEL_THREADS / THREADS_ACROSS;
  let block = index / across;
  if (block >= sizes.BLOCKS) { return; }
  let left = index % across * THREADS_ACROSS;
  let start = block * sizes.ROWS_PER_BLOCK;
  let end = min(start + sizes.ROWS_PER_BLOCK, sizes.ROWS);
  let row = local / THREADS_ACROSS;
  let column = local % THREADS_ACROSS;
  // A thread stages the same rows at every turn, STAGE_STEP apart, of the same k in the stage.
  var windows: array<Window, STAGED_ROWS>;
  //#unroll
  for (var r = 0u; r < STAGED_ROWS; r++) { windows[r] = window_of(min(start + local / STAGE_DEPTH + r * STAGE_STEP, sizes.ROWS - 1u)); }
  let depth = KH * KW * sizes.CI4;
  var sums = array<vec4<f32>, SUMS>();
  var fetched: array<vec4<f32>, STAGED_ROWS>;
  var fetched_weights: array<vec4<f32>, STAGED_WEIGHTS>;
  for (var first = 0u; first < depth + STAGE_DEPTH; first += STAGE_DEPTH) {
    // Beyond the last k it is loaded again, and 0 in its place, so that every stage is as deep.
    let k = min(first + local % STAGE_DEPTH, depth - 1u);
    let tap = k / sizes.CI4;
    let i = k % sizes.CI4;
    if (first < depth) {
      //#unroll
      for (var r = 0u; r < STAGED_ROWS; r++) { fetched[r] = load_x(place_of(windows[r], tap / KW, tap % KW, i)); }
      //#unroll
      for (var s = 0u; s < STAGED_WEIGHTS; s++) {
        let line = (local + s * WG) / BLOCK_VEC4S;
        let o = min(channels_of((local + s * WG) % BLOCK_VEC4S, left), sizes.CO4 - 1u);
        fetched_weights[s] = w[min(4u * first + line, 4u * depth - 1u) * sizes.CO4 + o];
      }
    }
    if (first > 0u) {
      for (var j = 0u; j < STAGE_DEPTH; j++) {
        var values: array<vec4<f32>, ROWS_PER_TILE>;
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = staged_values[j].rows[r][row]; }
        //#unroll
        for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
          let weights = weights_of(j, q, column);
          //#unroll
          for (var r = 0u; r < ROWS_PER_TILE; r++) { sums[r * VEC4S_PER_THREAD + q] = multiply_add(weights, values[r], sums[r * VEC4S_PER_THREAD + q]); }
        }
      }
    }
    workgroupBarrier();
    if (first < depth) {
      let live = first + local % STAGE_DEPTH < depth;
      let input = input_coefficients(i, sizes.CI4);
      //#unroll
      for (var r = 0u; r < STAGED_ROWS; r++) {
        let staged_row = local / STAGE_DEPTH + r * STAGE_STEP;
        let value = gated(prologue(fetched[r], input), gates_of(windows[r].image, sizes.CI4), i, sizes.CI4);
        if (staged_row < BLOCK_ROWS) { stage_value(local % STAGE_DEPTH, staged_row, select(vec4(0.0), value, live & in_image(windows[r], tap / KW, tap % KW))); }
      }
      //#unroll
      for (var s = 0u; s < STAGED_WEIGHTS; s++) {
        let line = (local + s * WG) / BLOCK_VEC4S;
        if (line < 4u * STAGE_DEPTH) { stage_weights(line / 4u, line % 4u, (local + s * WG) % BLOCK_VEC4S, fetched_weights[s]); }
      }
    }
    workgroupBarrier();
  }
  var deviations: array<Deviations, VEC4S_PER_THREAD>;
  write_tile(start + row, end, left + column, true, &sums, &deviations);
  if (STATISTICS) {
    // A thread without rows divides by zero here; `merge` leaves out what has a count of zero.
    let count = f32(rows_from(start + row, end));
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      share_sum(row, column, mean_of(deviations[q], count));
      // differences from the first mean, as in norm/batch_finish
      let first = shared_sums[0][column];
      var total = Moments();
      if (row == 0u) {
        for (var s = 0u; s < ROW_STEP; s++) { total = merge(total, Moments(f32(rows_from(start + s, end)), shared_sums[s][column] - first, vec4(0.0))); }
      }
      share_sum(row, column, m2_of(deviations[q], count));
      let o = left + column + q * sizes.CHANNEL_THREADS;
      if (row == 0u && o < sizes.CO4) {
        for (var s = 0u; s < ROW_STEP; s++) { total.m2 += select(vec4(0.0), shared_sums[s][column], rows_from(start + s, end) > 0u); }
        write_statistics(block, o, first + total.mean, total.m2);
      }
    }
  }
}

// How many rows before `end` a thread owns whose first is `first`.
fn rows_from(first: u32, end: u32) -> u32 {
  if (first >= end) { return 0u; }
  return min(ROWS_PER_TILE, (end - first + ROW_STEP - 1u) / ROW_STEP);
}
