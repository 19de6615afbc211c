// y[row, o] = bias[o] + sum_i f(x[row, i]) * w[i, o]: a 1x1 convolution as a product of matrices, rows = all pixels.
// x [ROWS, CI4], y [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns QUADS vec4s of output channels (GROUPS apart, so that neighbours read neighbouring weights) of RUN rows,
// TILE rows at a time: per vec4 of input channels it loads TILE of x and 4*QUADS of w for 4*TILE*QUADS vec4 multiply-adds.
// The four lanes of a quad own the same channels of four runs, and stay together (common/weights).
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift].
// STATISTICS: partial[run, (mean, M2), o] over the run's rows of y. What is written of a sum: common/output.
//#import common/pointwise_forward
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
  var deviations: array<Deviations, QUADS>;
  for (var done = 0u; done < sizes.RUN; done += TILE) {
    let first = run * sizes.RUN + done;
    var rows: array<u32, TILE>;
    //#unroll
    for (var r = 0u; r < TILE; r++) { rows[r] = min(first + r, sizes.ROWS - 1u) * sizes.CI4; }
    var sums = array<vec4<f32>, SUMS>();
    for (var i = 0u; i < sizes.CI4; i++) {
      let input = input_coefficients(i, sizes.CI4);
      var values: array<vec4<f32>, TILE>;
      //#unroll
      for (var r = 0u; r < TILE; r++) { values[r] = prologue(load_x(rows[r] + i), input); }
      //#unroll
      for (var q = 0u; q < QUADS; q++) {
        let weights = load_weights(i * 4u * sizes.CO4 + min(group + q * sizes.GROUPS, sizes.CO4 - 1u), sizes.CO4, lane);
        //#unroll
        for (var r = 0u; r < TILE; r++) { sums[r * QUADS + q] += weights * values[r]; }
      }
    }
    write_tile(first, end, group, done == 0u, &sums, &deviations);
  }
  if (STATISTICS) {
    let count = f32(end - run * sizes.RUN);
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let o = group + q * sizes.GROUPS;
      if (o < sizes.CO4 && run < sizes.RUNS) {
        write_statistics(run, o, mean_of(deviations[q], count), m2_of(deviations[q], count));
      }
    }
  }
}
