// dx[row, i] = addend + sum_{kh, kw, o} dy[n, h + PH - kh, w + PW - kw, o] * w[kh, kw, i, o], one group, stride 1: the input's
//   gradient as a product of matrices (implicit GEMM), its operands in workgroup memory; rows = all pixels (n, h, w) of dx.
// dx [ROWS, CI4], dy [N, OH, OW, CO4], w [KH, KW, 4*CI4, CO4], all vec4s of channels. k counts (kh, kw, vec4 of o).
// A workgroup computes a block of ROWS_PER_BLOCK rows by VEC4S_PER_THREAD * THREADS_ACROSS vec4s of input channels. It
// stages STAGE_DEPTH k of dy and of w at a time; a thread then multiplies ROWS_PER_TILE rows by VEC4S_PER_THREAD vec4s from
// there, while the next stage is on its way.
// GATHER: as in gemm/forward.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this stages A g + B y_raw + C; beyond the image it
// stays 0.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[block, (sum g, sum g xhat), i] of the
// block's rows, summed in the order of the threads.
// ACCUMULATE, with EPILOGUE: what is written is scale * dx * act'(scale x_raw + shift) + addend, partial without scale and addend.
// DERIVATIVE: what is written is (dx + addend) * act'(x_raw).
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
// Taken where the tuning says workgroupMemory: see gemm/forward.
//#import common/product_backward_input
//#import common/kernel
//#import common/staging
const WG = 128u;
const GATHER: bool = false;

struct Sizes {
  ROWS: u32,
  H: u32, // of x
  W: u32,
  OH: u32, // of y
  OW: u32,
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x_raw lies
  Y_PITCH: u32, // of a row where y_raw lies
  Y_START: u32, // of that row, where y_raw's begin
  ADDEND_C4: u32, // of a row of addend
  CHANNEL_THREADS: u32, // ceil(CI4 / VEC4S_PER_THREAD) or more
  ROWS_PER_BLOCK: u32, // rows whose backward sums are summed together
  BLOCKS: u32, // ceil(ROWS / ROWS_PER_BLOCK)
  BACKWARD_COEF: u32,
}

@group(0) @binding(10) var<uniform> sizes: Sizes;

// Where a row of dx finds its taps in dy.
fn window_of(row: u32) -> Window {
  if (GATHER) {
    let line = row / sizes.W;
    return Window(line / sizes.H * sizes.OH, line % sizes.H + PH, row % sizes.W + PW);
  }
  return Window(row, 0u, 0u);
}

// The row of dy that a tap of a window meets; beyond the image the nearest.
fn row_of(window: Window, kh: u32, kw: u32) -> u32 {
  if (GATHER) {
    // Places above the image wrap to huge numbers: one comparison leaves out those on both sides.
    return (window.image + min(window.h - kh, sizes.OH - 1u)) * sizes.OW + min(window.w - kw, sizes.OW - 1u);
  }
  return window.image;
}

fn in_image(window: Window, kh: u32, kw: u32) -> bool {
  if (GATHER) { return (window.h - kh < sizes.OH) & (window.w - kw < sizes.OW); }
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
  let depth = KH * KW * sizes.CO4;
  var sums = array<vec4<f32>, SUMS>();
  var fetched: array<FetchedGradient, STAGED_ROWS>;
  var fetched_weights: array<vec4<f32>, STAGED_WEIGHTS>;
  for (var first = 0u; first < depth + STAGE_DEPTH; first += STAGE_DEPTH) {
    // Beyond the last k it is loaded again, and 0 in its place, so that every stage is as deep.
    let k = min(first + local % STAGE_DEPTH, depth - 1u);
    let tap = k / sizes.CO4;
    let o = k % sizes.CO4;
    if (first < depth) {
      //#unroll
      for (var r = 0u; r < STAGED_ROWS; r++) { fetched[r] = fetch_gradient(row_of(windows[r], tap / KW, tap % KW), o); }
      //#unroll
      for (var s = 0u; s < STAGED_WEIGHTS; s++) {
        let line = (local + s * WG) / STAGE_DEPTH;
        let i = min(channels_of(line / 4u, left), sizes.CI4 - 1u) * 4u + line % 4u;
        fetched_weights[s] = w[(tap * 4u * sizes.CI4 + i) * sizes.CO4 + o];
      }
    }
    if (first > 0u) {
      for (var j = 0u; j < STAGE_DEPTH; j++) {
        var values: array<vec4<f32>, ROWS_PER_TILE>;
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = staged_values[j].rows[r][row]; }
        //#unroll
        for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
          let weights = transpose(weights_of(j, q, column));
          //#unroll
          for (var r = 0u; r < ROWS_PER_TILE; r++) { sums[r * VEC4S_PER_THREAD + q] = multiply_add(weights, values[r], sums[r * VEC4S_PER_THREAD + q]); }
        }
      }
    }
    workgroupBarrier();
    if (first < depth) {
      let live = first + local % STAGE_DEPTH < depth;
      let gradient = gradient_coefficients(o, sizes.CO4);
      //#unroll
      for (var r = 0u; r < STAGED_ROWS; r++) {
        let staged_row = local / STAGE_DEPTH + r * STAGE_STEP;
        let value = gradient_of(fetched[r], gradient);
        if (staged_row < BLOCK_ROWS) { stage_value(local % STAGE_DEPTH, staged_row, select(vec4(0.0), value, live & in_image(windows[r], tap / KW, tap % KW))); }
      }
      //#unroll
      for (var s = 0u; s < STAGED_WEIGHTS; s++) {
        let line = (local + s * WG) / STAGE_DEPTH;
        if (line < 4u * BLOCK_VEC4S) { stage_weights(local % STAGE_DEPTH, line % 4u, line / 4u, fetched_weights[s]); }
      }
    }
    workgroupBarrier();
  }
  var backward: array<BackwardSums, VEC4S_PER_THREAD>;
  write_tile(start + row, end, left + column, &sums, &backward);
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      share_sum(row, column, backward[q].g);
      let g = sum_of_column(row, column);
      share_sum(row, column, backward[q].product);
      let product = sum_of_column(row, column);
      let i = left + column + q * sizes.CHANNEL_THREADS;
      if (row == 0u && i < sizes.CI4) { write_backward_sums(block, i, g, product); }
    }
  }
}

// The sum of what a column's threads shared, for the first of them.
fn sum_of_column(row: u32, column: u32) -> vec4<f32> {
  var total = vec4(0.0);
  if (row == 0u) {
    for (var s = 0u; s < ROW_STEP; s++) { total += shared_sums[s][column]; }
  }
  return total;
}
