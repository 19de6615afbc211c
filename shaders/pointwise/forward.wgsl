// y[row, o] = bias[o] + sum_i f(x[row, i]) * w[i, o]: a 1x1 convolution as a product of matrices, rows = all pixels.
// x [ROWS, CI4], y [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns QUADS vec4s of output channels (GROUPS apart, so that neighbours read neighbouring weights) of RUN rows,
// TILE rows at a time: per vec4 of input channels it loads TILE of x and 4*QUADS of w for 4*TILE*QUADS vec4 multiply-adds.
// The four lanes of a quad own the same channels of four runs, and stay together (common/weights).
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift].
// STATISTICS: partial[run, (mean, M2), o] over the run's rows of y. What is written of a sum: common/output.
//#import common/activation
//#import common/input
//#import common/output
//#import common/weights
const WG: u32 = 64u;
const STATISTICS: bool = false;
const TILE: u32 = 1u;
const QUADS: u32 = 1u;
const SUMS: u32 = 1u; // TILE * QUADS

struct Sizes {
  ROWS: u32,
  CI4: u32,
  CO4: u32,
  GROUPS: u32, // ceil(CO4 / QUADS)
  RUN: u32, // a multiple of TILE
  RUNS: u32, // ceil(ROWS / RUN)
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  let lane = index % 4u;
  let group = index / 4u % sizes.GROUPS;
  let run = index / (4u * sizes.GROUPS) * 4u + lane;
  if (run - lane >= sizes.RUNS) { return; }
  let end = min((run + 1u) * sizes.RUN, sizes.ROWS);
  var pivots: array<vec4<f32>, QUADS>;
  var totals: array<vec4<f32>, QUADS>;
  var squares: array<vec4<f32>, QUADS>;
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
      for (var r = 0u; r < TILE; r++) { values[r] = prologue(x[rows[r] + i], input); }
      //#unroll
      for (var q = 0u; q < QUADS; q++) {
        let weights = load_weights(i * 4u * sizes.CO4 + min(group + q * sizes.GROUPS, sizes.CO4 - 1u), sizes.CO4, lane);
        //#unroll
        for (var r = 0u; r < TILE; r++) { sums[r * QUADS + q] += weights * values[r]; }
      }
    }
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let o = min(group + q * sizes.GROUPS, sizes.CO4 - 1u);
      let owned = group + q * sizes.GROUPS < sizes.CO4;
      let output = output_coefficients(o, sizes.CO4);
      //#unroll
      for (var r = 0u; r < TILE; r++) {
        let at = (first + r) * sizes.CO4 + o;
        let v = finish(sums[r * QUADS + q], output, at);
        let live = owned & (first + r < end);
        if (live) { y[at] = v; }
        // a branch around sums costs more than the sums
        if (STATISTICS) {
          if (r == 0u) { pivots[q] = select(pivots[q], v, done == 0u); }
          let deviation = select(vec4(0.0), v - pivots[q], live);
          totals[q] += deviation;
          squares[q] += deviation * deviation;
        }
      }
    }
  }
  if (STATISTICS) {
    let count = f32(end - run * sizes.RUN);
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let o = group + q * sizes.GROUPS;
      if (o < sizes.CO4 && run < sizes.RUNS) {
        partial[(run * 2u) * sizes.CO4 + o] = pivots[q] + totals[q] / count;
        partial[(run * 2u + 1u) * sizes.CO4 + o] = max(squares[q] - totals[q] * totals[q] / count, vec4(0.0));
      }
    }
  }
}
