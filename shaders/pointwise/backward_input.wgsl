// dx[row, i] = addend + sum_o dy[row, o] * w[i, o]: the gradient of a 1x1 convolution's input, rows = all pixels.
// dx [ROWS, CI4], dy [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns QUADS vec4s of input channels (GROUPS apart) of RUN rows, TILE rows at a time: per vec4 of output channels
// it loads TILE of dy and 4*QUADS of w (a row of w a channel) for 4*TILE*QUADS dot products.
// The four lanes of a quad own the same channels of four runs, and stay together (common/weights).
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[run, (sum g, sum g xhat), i] of it.
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
//#import common/activation
//#import common/input
//#import common/gradient
//#import common/weights
const WG: u32 = 64u;
const ADDEND: bool = false;
const TILE: u32 = 1u;
const QUADS: u32 = 1u;
const SUMS: u32 = 1u; // TILE * QUADS

struct Sizes {
  ROWS: u32,
  CI4: u32,
  CO4: u32,
  GROUPS: u32, // ceil(CI4 / QUADS)
  RUN: u32, // a multiple of TILE
  RUNS: u32, // ceil(ROWS / RUN)
  BACKWARD_COEF: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> y_raw: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> x_raw: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  let lane = index % 4u;
  let group = index / 4u % sizes.GROUPS;
  let run = index / (4u * sizes.GROUPS) * 4u + lane;
  if (run - lane >= sizes.RUNS) { return; }
  let end = min((run + 1u) * sizes.RUN, sizes.ROWS);
  var totals: array<vec4<f32>, QUADS>;
  var products: array<vec4<f32>, QUADS>;
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
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let i = min(group + q * sizes.GROUPS, sizes.CI4 - 1u);
      let owned = group + q * sizes.GROUPS < sizes.CI4;
      let input = input_coefficients(i, sizes.CI4);
      //#unroll
      for (var r = 0u; r < TILE; r++) {
        let live = owned & (first + r < end);
        let at = min(first + r, sizes.ROWS - 1u) * sizes.CI4 + i;
        var v = sums[r * QUADS + q];
        if (ADDEND) { v += addend[at]; }
        // a branch around sums costs more than the sums
        if (EPILOGUE) {
          let raw = x_raw[at];
          v = select(vec4(0.0), v * activate_derivative(raw * input.scale + input.shift), live);
          totals[q] += v;
          products[q] += v * (raw - input.mean) * input.rstd;
        }
        if (live) { dx[at] = v; }
      }
    }
  }
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let i = group + q * sizes.GROUPS;
      if (i < sizes.CI4 && run < sizes.RUNS) {
        partial[(run * 2u) * sizes.CI4 + i] = totals[q];
        partial[(run * 2u + 1u) * sizes.CI4 + i] = products[q];
      }
    }
  }
}
