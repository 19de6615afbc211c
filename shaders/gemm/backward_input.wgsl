// dx[n, h, w, i] = addend + sum_{kh, kw, o} dy[n, oh, ow, o] * w[kh, kw, i, o] over oh*SH - PH + kh = h, ow*SW - PW + kw = w, one
//   group: the input's gradient as products of matrices (implicit GEMM), their operands in workgroup memory.
// dx [ROWS, CI4], dy [N, OH, OW, CO4], w [KH, KW, 4*CI4, CO4], all vec4s of channels.
// With a stride, a tap meets only the pixels of dx with (h + PH) % SH = kh % SH, and likewise across. So the pixels fall into SH * SW
// phases, a product each: its rows are the pixels (n, h, w) of the phase, its k counts (kh, kw, vec4 of o) over the phase's taps
// alone, KH * KW / (SH * SW) on average. Of 3 x 3 taps and stride 2 the phases have 4, 2, 2 and 1, of 1 x 1 taps 1, 0, 0 and 0; all taps
// for all pixels would be four times the multiply-adds. Each phase begins with a block of its own; that of most taps comes first, so
// that what a device does last is short. Without a stride there is one phase, of all pixels and taps.
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
  ROWS: u32, // pixels of dx
  N: u32,
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
  PHASE_ROWS: u32, // N * ceil(H / SH) * ceil(W / SW), rounded up to whole blocks
  BLOCKS: u32, // of all phases
  BACKWARD_COEF: u32,
}

@group(0) @binding(10) var<uniform> sizes: Sizes;

const STRIDED = SH * SW > 1u;

// A phase of pixels: the first of its taps, and the first of its pixels, SH and SW apart.
struct Phase {
  kh: u32,
  kw: u32,
  h: u32,
  w: u32,
}

fn phase_of(row: u32) -> Phase {
  if (!STRIDED) { return Phase(0u, 0u, 0u, 0u); }
  let kh = row / sizes.PHASE_ROWS / SW;
  let kw = row / sizes.PHASE_ROWS % SW;
  return Phase(kh, kw, (kh + SH - PH % SH) % SH, (kw + SW - PW % SW) % SW);
}

// Image, row and column of a row among the pixels of its phase.
fn place_in_phase(row: u32) -> vec3<u32> {
  let columns = (sizes.W + SW - 1u) / SW;
  let rows = (sizes.H + SH - 1u) / SH;
  let line = row % sizes.PHASE_ROWS / columns;
  return vec3(line / rows, line % rows, row % sizes.PHASE_ROWS % columns);
}

// The pixel of dx that a row is; ROWS where there is none.
fn pixel_of(row: u32) -> u32 {
  if (!STRIDED) { return row; }
  let phase = phase_of(row);
  let place = place_in_phase(row);
  let h = place.y * SH + phase.h;
  let w = place.z * SW + phase.w;
  return select(sizes.ROWS, (place.x * sizes.H + h) * sizes.W + w, (place.x < sizes.N) & (h < sizes.H) & (w < sizes.W));
}

// Where a row finds its taps in dy: at (h - j, w - l) the j-th down and l-th across of its phase.
fn window_of(row: u32) -> Window {
  if (STRIDED) {
    let phase = phase_of(row);
    let place = place_in_phase(row);
    return Window(min(place.x, sizes.N - 1u) * sizes.OH, place.y + (phase.h + PH) / SH, place.z + (phase.w + PW) / SW);
  }
  let pixel = min(row, sizes.ROWS - 1u);
  if (GATHER) {
    let line = pixel / sizes.W;
    return Window(line / sizes.H * sizes.OH, line % sizes.H + PH, pixel % sizes.W + PW);
  }
  return Window(pixel, 0u, 0u);
}

// The row of dy that a tap of a window meets; beyond the image the nearest.
fn row_of(window: Window, j: u32, l: u32) -> u32 {
  if (GATHER) {
    // Places above the image wrap to huge numbers: one comparison leaves out those on both sides.
    return (window.image + min(window.h - j, sizes.OH - 1u)) * sizes.OW + min(window.w - l, sizes.OW - 1u);
  }
  return window.image;
}

fn in_image(window: Window, j: u32, l: u32) -> bool {
  if (GATHER) { return (window.h - j < sizes.OH) & (window.w - l < sizes.OW); }
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
  let phase = phase_of(start);
  let row = local / THREADS_ACROSS;
  let column = local % THREADS_ACROSS;
  // A thread stages the same rows at every turn, STAGE_STEP apart, of the same k in the stage.
  var windows: array<Window, STAGED_ROWS>;
  //#unroll
  for (var r = 0u; r < STAGED_ROWS; r++) { windows[r] = window_of(start + local / STAGE_DEPTH + r * STAGE_STEP); }
  let taps_down = (KH + SH - 1u - phase.kh) / SH;
  let taps_across = (KW + SW - 1u - phase.kw) / SW;
  let depth = taps_down * taps_across * sizes.CO4;
  var sums = array<vec4<f32>, SUMS>();
  var fetched: array<FetchedGradient, STAGED_ROWS>;
  var fetched_weights: array<vec4<f32>, STAGED_WEIGHTS>;
  for (var first = 0u; first < depth + STAGE_DEPTH; first += STAGE_DEPTH) {
    // Beyond the last k it is loaded again, and 0 in its place, so that every stage is as deep.
    let k = min(first + local % STAGE_DEPTH, depth - 1u);
    let tap = k / sizes.CO4;
    let j = tap / taps_across;
    let l = tap % taps_across;
    let o = k % sizes.CO4;
    if (first < depth) {
      //#unroll
      for (var r = 0u; r < STAGED_ROWS; r++) { fetched[r] = fetch_gradient(row_of(windows[r], j, l), o); }
      //#unroll
      for (var s = 0u; s < STAGED_WEIGHTS; s++) {
        let line = (local + s * WG) / STAGE_DEPTH;
        let i = min(channels_of(line / 4u, left), sizes.CI4 - 1u) * 4u + line % 4u;
        fetched_weights[s] = w[(((phase.kh + j * SH) * KW + phase.kw + l * SW) * 4u * sizes.CI4 + i) * sizes.CO4 + o];
      }
    }
    if (first > 0u) {
      for (var d = 0u; d < STAGE_DEPTH; d++) {
        var values: array<vec4<f32>, ROWS_PER_TILE>;
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = staged_values[d].rows[r][row]; }
        //#unroll
        for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
          let weights = transpose(weights_of(d, q, column));
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
        if (staged_row < BLOCK_ROWS) { stage_value(local % STAGE_DEPTH, staged_row, select(vec4(0.0), value, live & in_image(windows[r], j, l))); }
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
  write_tile(start + row, sizes.ROWS, left + column, &sums, &backward);
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
