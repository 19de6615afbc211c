// y[row, o] = bias[o] + sum_i f(x[row, i]) * w[i, o]: a 1x1 convolution as a product of matrices, rows = all pixels.
// x [ROWS, CI4], y [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns VEC4S_PER_THREAD vec4s of output channels (CHANNEL_THREADS apart, so that neighbours read neighbouring
// weights) of ROWS_PER_BLOCK rows, ROWS_PER_TILE rows at a time: per vec4 of input channels it loads ROWS_PER_TILE of x and
// 4*VEC4S_PER_THREAD of w for 4*ROWS_PER_TILE*VEC4S_PER_THREAD vec4 multiply-adds.
// The four lanes of a quad own the same channels of four blocks, and stay together (common/weights).
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift].
// GATE: f(x) is multiplied with a number a channel and image: common/gate.
// STATISTICS: partial[block, (mean, M2), o] over the block's rows of y. What is written of a sum: common/output.
// Variants, with what they brought on SwiftShader (docs/performance.md):
// - The tile is the cheapest of those that the tuning allows: up to 8 x 4 vec4s in the place of 8 x 2 and less took the
//   pointwise kernels of a step from 1,673 to 1,043 ms. 8 x 8 were 1.3 x faster alone, no faster in the step, and took 17 s
//   longer to compile.
// - SUBGROUPS, where a probe of the device finds quads: pointwise kernels alone 1.4 x faster, inference 1.2 x.
// - gemm/forward, where the tuning says workgroupMemory.
//#import common/product_forward
//#import common/weights
//#import common/global_index
const WG = 64u;
const ROW_STEP = 1u;

struct Sizes {
  ROWS: u32,
  PIXELS: u32, // rows of an image
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x lies
  Y_PITCH: u32, // of a row where y lies
  Y_START: u32, // of that row, where y's begin
  CHANNEL_THREADS: u32, // ceil(CO4 / VEC4S_PER_THREAD) or more
  ROWS_PER_BLOCK: u32, // rows whose statistics are summed together
  BLOCKS: u32, // ceil(ROWS / ROWS_PER_BLOCK)
}

@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  let lane = index % 4u;
  let channel_thread = index / 4u % sizes.CHANNEL_THREADS;
  let block = index / (4u * sizes.CHANNEL_THREADS) * 4u + lane;
  if (block - lane >= sizes.BLOCKS) { return; }
  let end = min((block + 1u) * sizes.ROWS_PER_BLOCK, sizes.ROWS);
  var deviations: array<Deviations, VEC4S_PER_THREAD>;
  for (var done = 0u; done < sizes.ROWS_PER_BLOCK; done += ROWS_PER_TILE) {
    let first = block * sizes.ROWS_PER_BLOCK + done;
    var rows: array<u32, ROWS_PER_TILE>;
    //#unroll
    for (var r = 0u; r < ROWS_PER_TILE; r++) { rows[r] = min(first + r, sizes.ROWS - 1u) * sizes.X_PITCH; }
    var gates: array<u32, ROWS_PER_TILE>;
    //#unroll
    for (var r = 0u; r < ROWS_PER_TILE; r++) { gates[r] = gates_of(min(first + r, sizes.ROWS - 1u), sizes.CI4); }
    var sums = array<vec4<f32>, SUMS>();
    for (var i = 0u; i < sizes.CI4; i++) {
      let input = input_coefficients(i, sizes.CI4);
      var values: array<vec4<f32>, ROWS_PER_TILE>;
      //#unroll
      for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = gated(prologue(load_x(rows[r] + i), input), gates[r], i, sizes.CI4); }
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let weights = load_weights(i * 4u * sizes.CO4 + min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u), sizes.CO4, lane);
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { sums[r * VEC4S_PER_THREAD + q] += weights * values[r]; }
      }
    }
    write_tile(first, end, channel_thread, done == 0u, &sums, &deviations);
  }
  if (STATISTICS) {
    let count = f32(end - block * sizes.ROWS_PER_BLOCK);
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let o = channel_thread + q * sizes.CHANNEL_THREADS;
      if (o < sizes.CO4 && block < sizes.BLOCKS) {
        write_statistics(block, o, mean_of(deviations[q], count), m2_of(deviations[q], count));
      }
    }
  }
}
