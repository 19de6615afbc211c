// partial[s, b_row, c] = addend + FACTOR * sum of dy * f(a) over rows s, s + SPLITS, ... of the ROWS_PER_B_ROW rows of b_row.
// BIAS: also bias_partial[s, b_row, c] = the sum of dy over the same rows.
// One vec4 of channels of one row of b and split a thread.
// PROLOGUE: a is raw, f(a) = activate(scale * a + shift) of coef [mean, rstd, scale, shift].
//#import common/input
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false; // with one split only
const FACTOR: f32 = 1.0; //#required
const BIAS: bool = false;

struct Sizes {
  ROWS_PER_B_ROW: u32,
  B_ROWS: u32,
  C4: u32,
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE
@group(0) @binding(5) var<storage, read_write> bias_partial: array<vec4<f32>>; //#if BIAS
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SPLITS * sizes.B_ROWS * sizes.C4) { return; }
  let c = i % sizes.C4;
  let b_row = i / sizes.C4 % sizes.B_ROWS;
  let split = i / (sizes.C4 * sizes.B_ROWS);
  let input = input_coefficients(c, sizes.C4);
  var sum = vec4(0.0);
  var bias_sum = vec4(0.0);
  for (var row = split; row < sizes.ROWS_PER_B_ROW; row += sizes.SPLITS) {
    let at = (b_row * sizes.ROWS_PER_B_ROW + row) * sizes.C4 + c;
    sum += dy[at] * prologue(load_a(at), input);
    if (BIAS) { bias_sum += dy[at]; }
  }
  sum *= FACTOR;
  if (ADDEND) { sum += addend[i]; }
  partial[i] = sum;
  if (BIAS) { bias_partial[i] = bias_sum; }
}
