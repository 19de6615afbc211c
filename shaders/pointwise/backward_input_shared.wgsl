// dx[row, i] = addend + sum_o dy[row, o] * w[i, o]: pointwise/backward_input with its operands in workgroup memory.
// dx [ROWS, CI4], dy [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A workgroup computes a tile of RUN rows by QUADS * LANES vec4s of input channels. It stages SLICE vec4s of output channels
// of dy and of w at a time; a thread then multiplies TILE rows by QUADS vec4s from there, as dot products.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this stages A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[run, (sum g, sum g xhat), i] of the
// tile's rows, summed in the order of the threads.
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
//#import common/pointwise_backward_input
//#import common/staging
const WG = 64u;

// What lies beyond the edges is clamped: such rows are not written, such channels not summed.
fn stage(start: u32, left: u32, first: u32, local: u32) {
  for (var s = local; s < SLICE * TILE_ROWS; s += WG) {
    let o = min(first + s % SLICE, sizes.CO4 - 1u);
    let row = min(start + s / SLICE, sizes.ROWS - 1u);
    stage_value(s % SLICE, s / SLICE, load_gradient(row * sizes.CO4 + o, gradient_coefficients(o, sizes.CO4)));
  }
  for (var s = local; s < SLICE * 4u * TILE_COLUMNS; s += WG) {
    let line = s / SLICE;
    let column = line / 4u;
    let i = min(channels_of(column, left), sizes.CI4 - 1u) * 4u + line % 4u;
    let o = min(first + s % SLICE, sizes.CO4 - 1u);
    stage_weights(s % SLICE, line % 4u, column, w[i * sizes.CO4 + o]);
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
  for (var o = 0u; o < sizes.CO4; o += SLICE) {
    stage(start, left, o, local);
    workgroupBarrier();
    let depth = min(SLICE, sizes.CO4 - o);
    for (var k = 0u; k < depth; k++) {
      var values: array<vec4<f32>, TILE>;
      //#unroll
      for (var r = 0u; r < TILE; r++) { values[r] = staged_value(k, row + r * ROW_STEP); }
      //#unroll
      for (var q = 0u; q < QUADS; q++) {
        let weights = staged_weights(k, column + q * LANES);
        //#unroll
        for (var r = 0u; r < TILE; r++) { sums[r * QUADS + q] += values[r] * weights; }
      }
    }
    workgroupBarrier();
  }
  var backward: array<BackwardSums, QUADS>;
  write_tile(start + row, end, left + column, &sums, &backward);
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < QUADS; q++) { share_sums(local, q, backward[q].g, backward[q].product); }
    workgroupBarrier();
    let i = channels_of(local, left);
    if (local >= TILE_COLUMNS || i >= sizes.CI4) { return; }
    var total = BackwardSums();
    for (var s = 0u; s < ROW_STEP; s++) {
      let sums_of_row = shared_sums(local, s);
      total.g += sums_of_row[0];
      total.product += sums_of_row[1];
    }
    write_backward_sums(run, i, total.g, total.product);
  }
}
