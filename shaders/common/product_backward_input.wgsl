// What pointwise/backward_input and gemm/backward_input have in common: bindings, and what becomes of a
// thread's sums. A thread owns the rows first + r * ROW_STEP, r < ROWS_PER_TILE, and of each the vec4s channel_thread + q *
// CHANNEL_THREADS, q < VEC4S_PER_THREAD. pixel_of(row) is the pixel of dx that a row is.
//#import common/activation
//#import common/input
//#import common/gradient_rows
//#needs ROW_STEP, ROWS, CI4, X_PITCH, ADDEND_C4, CHANNEL_THREADS, pixel_of
const ADDEND: bool = false;
const ACCUMULATE: bool = false;
const ROWS_PER_TILE: u32 = 1u; //#required
const VEC4S_PER_THREAD: u32 = 1u; //#required
const SUMS: u32 = 1u; //#required // ROWS_PER_TILE * VEC4S_PER_THREAD
const IN_TURNS: bool = false; // TURNS > 1
const TURNS: u32 = 1u; //#required // of the loop that writes a tile, whose text is as many times shorter
const VEC4S_AT_A_TIME: u32 = 1u; //#required // VEC4S_PER_THREAD / TURNS

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>; //#if EPILOGUE || BACKWARD_PROLOGUE
@group(0) @binding(4) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(5) var<storage, read> x_raw: array<vec4<f32>>; //#if EPILOGUE || DERIVATIVE //#f16
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4<f32>>; //#if EPILOGUE

// The backward sums of batch norm: g and g * xhat over rows.
struct BackwardSums {
  g: vec4<f32>,
  product: vec4<f32>,
}

// Writes the rows whose pixels are before `end`, and with EPILOGUE adds them to the backward sums.
fn write_tile(
  first: u32, end: u32, channel_thread: u32,
  sums: ptr<function, array<vec4<f32>, SUMS>>, backward: ptr<function, array<BackwardSums, VEC4S_PER_THREAD>>,
) {
  //#turns
  for (var turn = 0u; turn < TURNS; turn++) {
    //#unroll
    for (var q = 0u; q < VEC4S_AT_A_TIME; q++) {
      let i = min(channel_thread + (turn * VEC4S_AT_A_TIME + q) * sizes.CHANNEL_THREADS, sizes.CI4 - 1u);
      let owned = channel_thread + (turn * VEC4S_AT_A_TIME + q) * sizes.CHANNEL_THREADS < sizes.CI4;
      let input = input_coefficients(i, sizes.CI4);
      //#unroll
      for (var r = 0u; r < ROWS_PER_TILE; r++) {
        let pixel = pixel_of(first + r * ROW_STEP);
        let live = owned & (pixel < end);
        let at = min(pixel, sizes.ROWS - 1u);
        var v = (*sums)[r * VEC4S_PER_THREAD + q];
        var added = vec4(0.0);
        if (ADDEND) { added = addend[at * sizes.ADDEND_C4 + i]; }
        if (!ACCUMULATE) { v += added; }
        if (DERIVATIVE) { v *= activate_derivative(load_x_raw(at * sizes.X_PITCH + i)); }
        // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
        if (EPILOGUE) {
          let raw = load_x_raw(at * sizes.X_PITCH + i);
          v = select(vec4(0.0), v * activate_derivative(raw * input.scale + input.shift), live);
          (*backward)[q].g += v;
          (*backward)[q].product += v * (raw - input.mean) * input.rstd;
        }
        if (ACCUMULATE) { v = v * input.scale + added; }
        if (live) { dx[at * sizes.CI4 + i] = v; }
      }
    }
    // The sums of the next turn move to the places of this one's: register arrays are registers only where their indices are
    // constants.
    if (IN_TURNS) {
      //#unroll
      for (var k = 0u; k < SUMS; k++) { (*sums)[k] = (*sums)[min(k + VEC4S_AT_A_TIME, SUMS - 1u)]; }
      let before = *backward;
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) { (*backward)[q] = before[(q + VEC4S_AT_A_TIME) % VEC4S_PER_THREAD]; }
    }
  }
}

fn write_backward_sums(block: u32, i: u32, g: vec4<f32>, product: vec4<f32>) {
  if (EPILOGUE) {
    partial[(block * 2u) * sizes.CI4 + i] = g;
    partial[(block * 2u + 1u) * sizes.CI4 + i] = product;
  }
}
