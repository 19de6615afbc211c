// What pointwise/forward and gemm/forward have in common: bindings, and what becomes of a thread's sums.
// A thread owns the rows first + r * ROW_STEP, r < ROWS_PER_TILE, and of each the vec4s channel_thread + q *
// CHANNEL_THREADS, q < VEC4S_PER_THREAD, of channels.
//#import common/activation
//#import common/input
//#import common/gate
//#import common/output
//#needs ROW_STEP, CO4, Y_PITCH, Y_START, CHANNEL_THREADS
const STATISTICS: bool = false;
const ROWS_PER_TILE: u32 = 1u; //#required
const VEC4S_PER_THREAD: u32 = 1u; //#required
const SUMS: u32 = 1u; //#required // ROWS_PER_TILE * VEC4S_PER_THREAD
const IN_TURNS: bool = false; // TURNS > 1
const TURNS: u32 = 1u; //#required // of the loop that writes a tile, whose text is as many times shorter
const VEC4S_AT_A_TIME: u32 = 1u; //#required // VEC4S_PER_THREAD / TURNS

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>; //#if BIAS || NORM
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(5) var<storage, read_write> partial: array<vec4<f32>>; //#if STATISTICS
@group(0) @binding(6) var<storage, read> residual: array<vec4<f32>>; //#if RESIDUAL //#f16
@group(0) @binding(7) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16

// Sums over rows of y of their deviations from one of them, the pivot, so that their
// squares stay small where the mean is not.
struct Deviations {
  pivot: vec4<f32>,
  total: vec4<f32>,
  squares: vec4<f32>,
}

// Writes the rows before `end`, and with STATISTICS adds them to the deviations; a `fresh` pivot is the first row.
fn write_tile(
  first: u32, end: u32, channel_thread: u32, fresh: bool,
  sums: ptr<function, array<vec4<f32>, SUMS>>, deviations: ptr<function, array<Deviations, VEC4S_PER_THREAD>>,
) {
  //#turns
  for (var turn = 0u; turn < TURNS; turn++) {
    //#unroll
    for (var q = 0u; q < VEC4S_AT_A_TIME; q++) {
      let o = min(channel_thread + (turn * VEC4S_AT_A_TIME + q) * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
      let owned = channel_thread + (turn * VEC4S_AT_A_TIME + q) * sizes.CHANNEL_THREADS < sizes.CO4;
      let output = output_coefficients(o, sizes.CO4);
      //#unroll
      for (var r = 0u; r < ROWS_PER_TILE; r++) {
        let row = first + r * ROW_STEP;
        let at = row * sizes.CO4 + o;
        let v = finish((*sums)[r * VEC4S_PER_THREAD + q], output, at);
        let live = owned & (row < end);
        if (live) { store_y(row * sizes.Y_PITCH + sizes.Y_START + o, v); }
        // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
        if (STATISTICS) {
          if (r == 0u) { (*deviations)[q].pivot = select((*deviations)[q].pivot, v, fresh); }
          let deviation = select(vec4(0.0), v - (*deviations)[q].pivot, live);
          (*deviations)[q].total += deviation;
          (*deviations)[q].squares += deviation * deviation;
        }
      }
    }
    // The sums of the next turn move to the places of this one's: register arrays are registers only where their indices are
    // constants.
    if (IN_TURNS) {
      //#unroll
      for (var k = 0u; k < SUMS; k++) { (*sums)[k] = (*sums)[min(k + VEC4S_AT_A_TIME, SUMS - 1u)]; }
      let before = *deviations;
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) { (*deviations)[q] = before[(q + VEC4S_AT_A_TIME) % VEC4S_PER_THREAD]; }
    }
  }
}

fn mean_of(d: Deviations, count: f32) -> vec4<f32> {
  return d.pivot + d.total / count;
}

fn m2_of(d: Deviations, count: f32) -> vec4<f32> {
  return max(d.squares - d.total * d.total / count, vec4(0.0));
}

fn write_statistics(block: u32, o: u32, mean: vec4<f32>, m2: vec4<f32>) {
  if (STATISTICS) {
    partial[(block * 2u) * sizes.CO4 + o] = mean;
    partial[(block * 2u + 1u) * sizes.CO4 + o] = m2;
  }
}
