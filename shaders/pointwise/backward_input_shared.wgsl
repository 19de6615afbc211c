// dx[row, i] = addend + sum_o dy[row, o] * w[i, o]: pointwise/backward_input with its operands in workgroup memory.
// dx [ROWS, CI4], dy [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A workgroup computes a block of ROWS_PER_BLOCK rows by VEC4S_PER_THREAD * THREADS_ACROSS vec4s of input channels. It
// stages STAGE_DEPTH vec4s of output channels of dy and of w at a time; a thread then multiplies ROWS_PER_TILE rows by
// VEC4S_PER_THREAD vec4s from there, as dot products.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this stages A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[block, (sum g, sum g xhat), i] of the
// block's rows, summed in the order of the threads.
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
// Taken where the tuning says workgroupMemory, which no default does: see pointwise/forward_shared.
//#import common/pointwise_backward_input
//#import common/staging
const WG = 64u;

// Loads STAGE_DEPTH vec4s of the summed channels of both operands into workgroup memory. Beyond the edges the last row or
// channel is loaded again: such rows are not written and such channels not summed.
fn stage(start: u32, left: u32, first: u32, local: u32) {
  for (var s = local; s < STAGE_DEPTH * BLOCK_ROWS; s += WG) {
    let o = min(first + s % STAGE_DEPTH, sizes.CO4 - 1u);
    let row = min(start + s / STAGE_DEPTH, sizes.ROWS - 1u);
    stage_value(s % STAGE_DEPTH, s / STAGE_DEPTH, load_gradient(row * sizes.CO4 + o, gradient_coefficients(o, sizes.CO4)));
  }
  for (var s = local; s < STAGE_DEPTH * 4u * BLOCK_VEC4S; s += WG) {
    let line = s / STAGE_DEPTH;
    let column = line / 4u;
    let i = min(channels_of(column, left), sizes.CI4 - 1u) * 4u + line % 4u;
    let o = min(first + s % STAGE_DEPTH, sizes.CO4 - 1u);
    stage_weights(s % STAGE_DEPTH, line % 4u, column, w[i * sizes.CO4 + o]);
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
  for (var o = 0u; o < sizes.CO4; o += STAGE_DEPTH) {
    stage(start, left, o, local);
    workgroupBarrier();
    let depth = min(STAGE_DEPTH, sizes.CO4 - o);
    for (var k = 0u; k < depth; k++) {
      var values: array<vec4<f32>, ROWS_PER_TILE>;
      //#unroll
      for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = staged_value(k, row + r * ROW_STEP); }
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let weights = staged_weights(k, column + q * THREADS_ACROSS);
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { sums[r * VEC4S_PER_THREAD + q] += values[r] * weights; }
      }
    }
    workgroupBarrier();
  }
  var backward: array<BackwardSums, VEC4S_PER_THREAD>;
  write_tile(start + row, end, left + column, &sums, &backward);
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) { share_sums(local, q, backward[q].g, backward[q].product); }
    workgroupBarrier();
    let i = channels_of(local, left);
    if (local >= BLOCK_VEC4S || i >= sizes.CI4) { return; }
    var total = BackwardSums();
    for (var s = 0u; s < ROW_STEP; s++) {
      let sums_of_row = shared_sums(local, s);
      total.g += sums_of_row[0];
      total.product += sums_of_row[1];
    }
    write_backward_sums(block, i, total.g, total.product);
  }
}
