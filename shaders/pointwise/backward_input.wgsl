// dx[row, i] = addend + sum_o dy[row, o] * w[i, o]: the gradient of a 1x1 convolution's input, rows = all pixels.
// dx [ROWS, CI4], dy [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns VEC4S_PER_THREAD vec4s of input channels (CHANNEL_THREADS apart) of ROWS_PER_BLOCK rows, ROWS_PER_TILE rows
// at a time: per vec4 of output channels it loads ROWS_PER_TILE of dy and 4*VEC4S_PER_THREAD of w (a row of w a channel)
// for 4*ROWS_PER_TILE*VEC4S_PER_THREAD dot products.
// The four lanes of a quad own the same channels of four blocks, and stay together (common/weights).
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[block, (sum g, sum g xhat), i] of it.
// ACCUMULATE, with EPILOGUE: what is written is scale * dx * act'(scale x_raw + shift) + addend, partial without scale and addend.
// DERIVATIVE: what is written is (dx + addend) * act'(x_raw).
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
// Variants, with what they brought on SwiftShader (docs/performance.md):
// - Tiles and SUBGROUPS as in pointwise/forward.
// - EPILOGUE masks its sums where it would branch around them: 349 to 264 ms a step for the pointwise input gradients.
// - gemm/backward_input, where the tuning says workgroupMemory.
//#import common/product_backward_input
//#import common/weights
//#import common/global_index
const WG = 64u;
const ROW_STEP = 1u;

struct Sizes {
  ROWS: u32,
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x_raw lies
  Y_PITCH: u32, // of a row where y_raw lies
  Y_START: u32, // of that row, where y_raw's begin
  ADDEND_C4: u32, // of a row of addend
  CHANNEL_THREADS: u32, // ceil(CI4 / VEC4S_PER_THREAD) or more
  ROWS_PER_BLOCK: u32, // rows whose backward sums are summed together
  BLOCKS: u32, // ceil(ROWS / ROWS_PER_BLOCK)
  BACKWARD_COEF: u32,
}

@group(0) @binding(10) var<uniform> sizes: Sizes;

fn pixel_of(row: u32) -> u32 { return row; }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  let lane = index % 4u;
  let channel_thread = index / 4u % sizes.CHANNEL_THREADS;
  let block = index / (4u * sizes.CHANNEL_THREADS) * 4u + lane;
  if (block - lane >= sizes.BLOCKS) { return; }
  let end = min((block + 1u) * sizes.ROWS_PER_BLOCK, sizes.ROWS);
  var backward: array<BackwardSums, VEC4S_PER_THREAD>;
  for (var done = 0u; done < sizes.ROWS_PER_BLOCK; done += ROWS_PER_TILE) {
    let first = block * sizes.ROWS_PER_BLOCK + done;
    var rows: array<u32, ROWS_PER_TILE>;
    //#unroll
    for (var r = 0u; r < ROWS_PER_TILE; r++) { rows[r] = min(first + r, sizes.ROWS - 1u); }
    var sums = array<vec4<f32>, SUMS>();
    for (var o = 0u; o < sizes.CO4; o++) {
      let gradient = gradient_coefficients(o, sizes.CO4);
      var values: array<vec4<f32>, ROWS_PER_TILE>;
      //#unroll
      for (var r = 0u; r < ROWS_PER_TILE; r++) { values[r] = gradient_at(rows[r], o, gradient); }
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let weights = load_weights(min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CI4 - 1u) * 4u * sizes.CO4 + o, sizes.CO4, lane);
        //#unroll
        for (var r = 0u; r < ROWS_PER_TILE; r++) { sums[r * VEC4S_PER_THREAD + q] += values[r] * weights; }
      }
    }
    write_tile(first, end, channel_thread, &sums, &backward);
  }
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let i = channel_thread + q * sizes.CHANNEL_THREADS;
      if (i < sizes.CI4 && block < sizes.BLOCKS) { write_backward_sums(block, i, backward[q].g, backward[q].product); }
    }
  }
}
