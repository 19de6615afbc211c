// What pointwise/backward_weight and pointwise/backward_weight_rows have in common: sizes, bindings, and what becomes of a thread's sums.
// A thread owns the products of the vec4s input_thread + p * INPUT_THREADS, p < INPUT_VEC4S, of input channels and output_thread + q *
// OUTPUT_THREADS, q < OUTPUT_VEC4S, of output channels: a matrix each, with a column for each channel of x.
//#import common/activation
//#import common/input
//#import common/gate
//#import common/gradient_rows
//#import common/splits
const INPUT_VEC4S: u32 = 1u; //#required
const OUTPUT_VEC4S: u32 = 1u; //#required
const PRODUCTS: u32 = 1u; //#required // INPUT_VEC4S * OUTPUT_VEC4S
const IN_TURNS: bool = false; // TURNS > 1
const TURNS: u32 = 1u; //#required // of the loop that writes the products, whose text is as many times shorter
const INPUTS_AT_A_TIME: u32 = 1u; //#required // INPUT_VEC4S / TURNS
const BIAS: bool = false;

struct Sizes {
  OW: u32, // rows of x and dy: all pixels, in one line
  PIXELS: u32, // rows of an image
  CI: u32,
  CI4: u32,
  CO4: u32,
  X_PITCH: u32, // of a row where x lies
  Y_PITCH: u32, // of a row where y_raw lies
  Y_START: u32, // of that row, where y_raw's begin
  SPLITS: u32,
  INPUT_THREADS: u32, // ceil(CI4 / INPUT_VEC4S)
  OUTPUT_THREADS: u32, // ceil(CO4 / OUTPUT_VEC4S)
  BACKWARD_COEF: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE || BACKWARD_PROLOGUE
@group(0) @binding(3) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16
@group(0) @binding(6) var<storage, read_write> bias_partial: array<vec4<f32>>; //#if BIAS
@group(0) @binding(10) var<uniform> sizes: Sizes;

fn input_of(thread: u32, p: u32) -> u32 {
  return min(thread + p * sizes.INPUT_THREADS, sizes.CI4 - 1u);
}

fn output_of(thread: u32, q: u32) -> u32 {
  return min(thread + q * sizes.OUTPUT_THREADS, sizes.CO4 - 1u);
}

// Adds the products of the workgroup's splits and has the owners of the part write them. All threads call it.
fn write_products(
  part: u32, input_thread: u32, output_thread: u32, local: u32,
  products: ptr<function, array<mat4x4<f32>, PRODUCTS>>, bias_sums: ptr<function, array<vec4<f32>, OUTPUT_VEC4S>>,
) {
  let writes = local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS && input_thread < sizes.INPUT_THREADS;
  //#turns
  for (var turn = 0u; turn < TURNS; turn++) {
    //#unroll
    for (var p = 0u; p < INPUTS_AT_A_TIME; p++) {
      //#unroll
      for (var q = 0u; q < OUTPUT_VEC4S; q++) {
        let i = input_thread + (turn * INPUTS_AT_A_TIME + p) * sizes.INPUT_THREADS;
        let o = output_thread + q * sizes.OUTPUT_THREADS;
        let own = (*products)[p * OUTPUT_VEC4S + q];
        let total = add_splits(array(own[0], own[1], own[2], own[3]), local);
        if (writes && i < sizes.CI4 && o < sizes.CO4) {
          //#unroll
          for (var j = 0u; j < 4u; j++) {
            // The padding channels of x are no longer zero behind an activation that is not 0 at 0: their products are.
            partial[(part * 4u * sizes.CI4 + i * 4u + j) * sizes.CO4 + o] =
              select(vec4(0.0), total[j], i * 4u + j < sizes.CI);
          }
        }
      }
    }
    // The products of the next turn move to the places of this one's: register arrays are registers only where their indices are
    // constants.
    if (IN_TURNS) {
      //#unroll
      for (var k = 0u; k < PRODUCTS; k++) { (*products)[k] = (*products)[min(k + INPUTS_AT_A_TIME * OUTPUT_VEC4S, PRODUCTS - 1u)]; }
    }
  }
  if (BIAS) {
    //#unroll
    for (var q = 0u; q < OUTPUT_VEC4S; q++) {
      let o = output_thread + q * sizes.OUTPUT_THREADS;
      let total = add_splits(array((*bias_sums)[q], vec4(0.0), vec4(0.0), vec4(0.0)), local)[0];
      if (writes && input_thread == 0u && o < sizes.CO4) { bias_partial[part * sizes.CO4 + o] = total; }
    }
  }
}
