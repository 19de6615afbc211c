// y[row, o] = bias[o] + sum_i f(x[row, i]) * w[i, o]: pointwise/forward with its operands in workgroup memory.
// x [ROWS, CI4], y [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A workgroup computes a tile of RUN rows by QUADS * LANES vec4s of output channels. It stages SLICE vec4s of input channels
// of f(x) and of w at a time, each read and activated once; a thread then multiplies TILE rows by QUADS vec4s from there.
// So a vec4 of x is read from memory once for QUADS * LANES vec4s of y, and one of w once for RUN rows.
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift].
// STATISTICS: partial[run, (mean, M2), o] over the tile's rows of y, merged in the order of the threads. What is written: common/output.
//#import common/pointwise_forward
//#import common/staging
//#import common/moments
const WG = 64u;

// What lies beyond the edges is clamped: such rows are not written, such channels not summed.
fn stage(start: u32, left: u32, first: u32, local: u32) {
  for (var s = local; s < SLICE * TILE_ROWS; s += WG) {
    let i = min(first + s % SLICE, sizes.CI4 - 1u);
    let row = min(start + s / SLICE, sizes.ROWS - 1u);
    stage_value(s % SLICE, s / SLICE, prologue(load_x(row * sizes.CI4 + i), input_coefficients(i, sizes.CI4)));
  }
  for (var s = local; s < SLICE * 4u * TILE_COLUMNS; s += WG) {
    let column = s % TILE_COLUMNS;
    let line = s / TILE_COLUMNS;
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
  let across = sizes.GROUPS / LANES;
  let run = index / across;
  if (run >= sizes.RUNS) { return; }
  let left = index % across * LANES;
  let start = run * sizes.RUN;
  let end = min(start + sizes.RUN, sizes.ROWS);
  let row = local / LANES;
  let column = local % LANES;
  var sums = array<vec4<f32>, SUMS>();
  for (var i = 0u; i < sizes.CI4; i += SLICE) {
    stage(start, left, i, local);
    workgroupBarrier();
    let depth = min(SLICE, sizes.CI4 - i);
    for (var k = 0u; k < depth; k++) {
      var values: array<vec4<f32>, TILE>;
      //#unroll
      for (var r = 0u; r < TILE; r++) { values[r] = staged_value(k, row + r * ROW_STEP); }
      //#unroll
      for (var q = 0u; q < QUADS; q++) {
        let weights = staged_weights(k, column + q * LANES);
        //#unroll
        for (var r = 0u; r < TILE; r++) { sums[r * QUADS + q] += weights * values[r]; }
      }
    }
    workgroupBarrier();
  }
  var deviations: array<Deviations, QUADS>;
  write_tile(start + row, end, left + column, true, &sums, &deviations);
  if (STATISTICS) {
    // no rows, no sums: what is then divided by zero is not merged
    let count = f32(rows_from(start + row, end));
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      share_sums(local, q, mean_of(deviations[q], count), m2_of(deviations[q], count));
    }
    workgroupBarrier();
    let o = channels_of(local, left);
    if (local >= TILE_COLUMNS || o >= sizes.CO4) { return; }
    var total = Moments();
    for (var s = 0u; s < ROW_STEP; s++) {
      let sums_of_row = shared_sums(local, s);
      total = merge(total, Moments(f32(rows_from(start + s, end)), sums_of_row[0], sums_of_row[1]));
    }
    write_statistics(run, o, total.mean, total.m2);
  }
}

// How many rows before `end` a thread owns whose first is `first`.
fn rows_from(first: u32, end: u32) -> u32 {
  if (first >= end) { return 0u; }
  return min(TILE, (end - first + ROW_STEP - 1u) / ROW_STEP);
}
