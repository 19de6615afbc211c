// partial[s, kh, kw, c] = sum over the s-th SHARED_SPLITS of SPLITS splits of the blocks of f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, c])
//   * dy[n, oh, ow, c]
// Small kernels. x [N, H, W, C4], dy [N, OH, OW, C4], all vec4s of channels.
// A thread owns one vec4 of channels of one split and keeps all KH*KW sums in registers. It walks down blocks of
// ROWS_PER_BLOCK rows by COLUMNS_PER_BLOCK columns of dy: a step reads SH rows of x and one row of dy; the WAITING_ROWS
// rows of dy that a row of x meets wait in registers. reduce/sum_splits adds the splits in order.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift). BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of
// which this reads A g + B y_raw + C. coef: with PROLOGUE [mean, rstd, scale, shift], then [A, B, C], C4 vec4s each.
// BIAS: also bias_partial[s, c], the sum of dy alone.
// Variants: see depthwise/forward. SPLITS are few, as in pointwise/backward_weight.
//#import common/activation
//#import common/input
//#import common/gradient
//#import common/kernel
//#import common/depthwise
//#import common/splits
const WG = 64u;
const BIAS: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of dy a block
const WAITING_ROWS: u32 = 1u; //#required // ceil(KH / SH): rows of dy that a row of x meets
const FOURS_OF_TAPS: u32 = 1u; //#required // ceil(KH * KW / 4)
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_BLOCK - 1) * SW + KW: columns of x that a row of dy meets

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE || BACKWARD_PROLOGUE
@group(0) @binding(3) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(4) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> bias_partial: array<vec4<f32>>; //#if BIAS

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = column_of(id.x + id.y * workgroups.x, local);
  let c = index % sizes.C4;
  let part = index / sizes.C4;
  let split = part * SHARED_SPLITS + local / COLUMNS; // of those past the last, which have no blocks, nothing is written
  let gradient = gradient_coefficients(c, sizes.C4);
  let input = input_coefficients(c, sizes.C4);
  const TAPS = KH * KW;
  var sums: array<vec4<f32>, TAPS>;
  var bias_sum = vec4(0.0);
  let blocks = sizes.N * sizes.BLOCKS_DOWN * sizes.BLOCKS_ACROSS;
  let blocks_per_split = (blocks + sizes.SPLITS - 1u) / sizes.SPLITS;
  for (var block = split * blocks_per_split; block < min((split + 1u) * blocks_per_split, blocks); block++) {
    let column = block % sizes.BLOCKS_ACROSS * COLUMNS_PER_BLOCK;
    let first = block / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * sizes.ROWS_PER_BLOCK;
    let n = block / (sizes.BLOCKS_ACROSS * sizes.BLOCKS_DOWN);
    let end = min(first + sizes.ROWS_PER_BLOCK, sizes.OH);
    const WAITING = WAITING_ROWS * COLUMNS_PER_BLOCK;
    var rows = array<vec4<f32>, WAITING>(); // rows[m * COLUMNS_PER_BLOCK + t] = dy[step - m, column + t], 0 outside the block
    for (var step = first; step < end + WAITING_ROWS - 1u; step++) {
      //#unroll
      for (var m = 0u; m < WAITING_ROWS; m++) {
        //#unroll
        for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
          if (m + 1u < WAITING_ROWS) {
            rows[(WAITING_ROWS - 1u - m) * COLUMNS_PER_BLOCK + t] = rows[max(WAITING_ROWS - 1u - m, 1u) * COLUMNS_PER_BLOCK - COLUMNS_PER_BLOCK + t];
          } else {
            let at = ((n * sizes.OH + min(step, sizes.OH - 1u)) * sizes.OW + min(column + t, sizes.OW - 1u)) * sizes.C4 + c;
            rows[t] = select(vec4(0.0), load_gradient(at, gradient), (step < end) & (column + t < sizes.OW));
            if (BIAS) { bias_sum += rows[t]; }
          }
        }
      }
      //#unroll
      for (var j = 0u; j < SH; j++) {
        // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
        let ih = step * SH + j - PH;
        let at = (n * sizes.H + min(ih, sizes.H - 1u)) * sizes.W;
        var row: array<vec4<f32>, X_WINDOW>;
        //#unroll
        for (var i = 0u; i < X_WINDOW; i++) {
          let iw = column * SW + i - PW;
          row[i] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.C4 + c), input), (ih < sizes.H) & (iw < sizes.W));
        }
        //#unroll
        for (var m = 0u; m < WAITING_ROWS; m++) {
          if (m * SH + j < KH) {
            //#unroll
            for (var kw = 0u; kw < KW; kw++) {
              //#unroll
              for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
                sums[min(m * SH + j, KH - 1u) * KW + kw] += row[t * SW + kw] * rows[m * COLUMNS_PER_BLOCK + t];
              }
            }
          }
        }
      }
    }
  }
  let writes = local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS;
  //#unroll
  for (var q = 0u; q < FOURS_OF_TAPS; q++) {
    var four: array<vec4<f32>, 4>;
    //#unroll
    for (var j = 0u; j < 4u; j++) {
      if (q * 4u + j < TAPS) { four[j] = sums[min(q * 4u + j, TAPS - 1u)]; }
    }
    let total = add_splits(four, local);
    if (writes) {
      //#unroll
      for (var j = 0u; j < 4u; j++) {
        if (q * 4u + j < TAPS) { partial[(part * TAPS + q * 4u + j) * sizes.C4 + c] = total[j]; }
      }
    }
  }
  if (BIAS) {
    let total = add_splits(array(bias_sum, vec4(0.0), vec4(0.0), vec4(0.0)), local)[0];
    if (writes) { bias_partial[part * sizes.C4 + c] = total; }
  }
}
