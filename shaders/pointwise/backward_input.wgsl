// dx[row, i] = addend + sum_o dy[row, o] * w[i, o]: the gradient of a 1x1 convolution's input, rows = all pixels.
// dx [ROWS, CI4], dy [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns QUADS vec4s of input channels (GROUPS apart) of RUN rows, TILE rows at a time: per vec4 of output channels
// it loads TILE of dy and 4*QUADS of w (a row of w a channel) for 4*TILE*QUADS dot products.
// The four lanes of a quad own the same channels of four runs, and stay together (common/weights).
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[run, (sum g, sum g xhat), i] of it.
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
//#import common/pointwise_backward_input
//#import common/weights
//#import common/global_index
const WG = 64u;
const ROW_STEP = 1u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  let lane = index % 4u;
  let group = index / 4u % sizes.GROUPS;
  let run = index / (4u * sizes.GROUPS) * 4u + lane;
  if (run - lane >= sizes.RUNS) { return; }
  let end = min((run + 1u) * sizes.RUN, sizes.ROWS);
  var backward: array<BackwardSums, QUADS>;
  for (var done = 0u; done < sizes.RUN; done += TILE) {
    let first = run * sizes.RUN + done;
    var rows: array<u32, TILE>;
    //#unroll
    for (var r = 0u; r < TILE; r++) { rows[r] = min(first + r, sizes.ROWS - 1u) * sizes.CO4; }
    var sums = array<vec4<f32>, SUMS>();
    for (var o = 0u; o < sizes.CO4; o++) {
      let gradient = gradient_coefficients(o, sizes.CO4);
      var values: array<vec4<f32>, TILE>;
      //#unroll
      for (var r = 0u; r < TILE; r++) { values[r] = load_gradient(rows[r] + o, gradient); }
      //#unroll
      for (var q = 0u; q < QUADS; q++) {
        let weights = load_weights(min(group + q * sizes.GROUPS, sizes.CI4 - 1u) * 4u * sizes.CO4 + o, sizes.CO4, lane);
        //#unroll
        for (var r = 0u; r < TILE; r++) { sums[r * QUADS + q] += values[r] * weights; }
      }
    }
    write_tile(first, end, group, &sums, &backward);
  }
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let i = group + q * sizes.GROUPS;
      if (i < sizes.CI4 && run < sizes.RUNS) { write_backward_sums(run, i, backward[q].g, backward[q].product); }
    }
  }
}
