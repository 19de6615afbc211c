// y[row, o] = bias[o] + sum_i f(x[row, i]) * w[i, o]: pointwise/forward with its operands in workgroup memory.
// x [ROWS, CI4], y [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A workgroup computes a block of ROWS_PER_BLOCK rows by VEC4S_PER_THREAD * THREADS_ACROSS vec4s of output channels. It
// stages STAGE_DEPTH vec4s of input channels of f(x) and of w at a time, each read and activated once; a thread then
// multiplies ROWS_PER_TILE rows by VEC4S_PER_THREAD vec4s from there.
// So a vec4 of x is read from memory once for VEC4S_PER_THREAD * THREADS_ACROSS vec4s of y, and one of w once for
// ROWS_PER_BLOCK rows.
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift].
// STATISTICS: partial[block, (mean, M2), o] over the block's rows of y, merged in the order of the threads. What is
// written: common/output.
// Taken where the tuning says workgroupMemory, which no default does: on SwiftShader a vec4 from workgroup memory takes 9
// ns, from a buffer 5 to 10, and a workgroup with a barrier about 75 us; a GPU has not been measured (docs/performance.md).
//#import common/pointwise_forward
//#import common/staging
//#import common/moments
const WG = 64u;

// Loads STAGE_DEPTH vec4s of the summed channels of both operands into workgroup memory. Beyond the edges the last row or
// channel is loaded again: such rows are not written and such channels not summed.
fn stage(start: u32, left: u32, first: u32, local: u32) {
  for (var s = local; s < STAGE_DEPTH * BLOCK_ROWS; s += WG) {
    let i = min(first + s % STAGE_DEPTH, sizes.CI4 - 1u);
    let row = min(start + s / STAGE_DEPTH, sizes.ROWS - 1u);
    stage_value(s % STAGE_DEPTH, s / STAGE_DEPTH, prologue(load_x(row * sizes.CI4 + i), input_coefficients(i, sizes.CI4)));
  }
  for (var s = local; s < STAGE_DEPTH * 4u * BLOCK_VEC4S; s += WG) {
    let column = s % BLOCK_VEC4S;
    let line = s / BLOCK_VEC4S;
    let i = min(4u * first + line, 4u * sizes.CI4 - 1u);
    let o = min(channels_of(column, left), sizes.CO4 - 1u);
    stage_weights(line / 4u, line % 4u, column, w[i * sizes.CO4 + o]);
  }
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
  var sums = array<vec4<f32>, SUMS>();
  for (var i = 0u; i < sizes.CI4; i += STAGE_DEPTH) {
    stage(start, left, i, local);
    workgroupBarrier();
    let depth = min(STAGE_DEPTH, sizes.CI4 - i);
    for (var k = 0u; k < depth; k++) {
      var values: array<vec4<f32>, ROWS_PER_TILE>;
      //#unroll
      for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = staged_value(k, row + r * ROW_STEP); }
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let weights = staged_weights(k, column + q * THREADS_ACROSS);
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { sums[r * VEC4S_PER_THREAD + q] += weights * values[r]; }
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
      share_sums(local, q, mean_of(deviations[q], count), m2_of(deviations[q], count));
    }
    workgroupBarrier();
    let o = channels_of(local, left);
    if (local >= BLOCK_VEC4S || o >= sizes.CO4) { return; }
    // differences from the first mean, as in norm/batch_finish
    let first = shared_sums(local, 0u)[0];
    var total = Moments();
    for (var s = 0u; s < ROW_STEP; s++) {
      let sums_of_row = shared_sums(local, s);
      total = merge(total, Moments(f32(rows_from(start + s, end)), sums_of_row[0] - first, sums_of_row[1]));
    }
    write_statistics(block, o, first + total.mean, total.m2);
  }
}

// How many rows before `end` a thread owns whose first is `first`.
fn rows_from(first: u32, end: u32) -> u32 {
  if (first >= end) { return 0u; }
  return min(ROWS_PER_TILE, (end - first + ROW_STEP - 1u) / ROW_STEP);
}
