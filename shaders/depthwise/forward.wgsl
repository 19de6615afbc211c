// y[n, oh, ow, c] = bias[c] + sum_{kh, kw} f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, c]) * w[kh, kw, c], small kernels.
// x [N, H, W, C4], y [N, OH, OW, C4], w [KH*KW, C4], all vec4s of channels.
// A thread owns one vec4 of channels of a block of ROWS_PER_BLOCK rows by COLUMNS_PER_BLOCK columns of y and walks down it:
// a step reads SH rows of x once, adds them to all the rows of y they touch (WAITING_ROWS of them wait in registers), and
// completes one row. So a pixel of x is read about once a thread and the weights once a block; neighbours read neighbouring
// channels.
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift];
// padding of the image stays 0. STATISTICS: partial[block, (mean, M2), c] over the block's part of y.
// What is written of a sum: common/output.
// Variants, with what they brought on SwiftShader (docs/performance.md):
// - Blocks are as tall as leaves the tuning its threads: longer strips took the depthwise kernels of a step from 845 to 503
//   ms.
// - depthwise/forward_large, for kernels of more than 25 taps, or 49 where weights may leave the registers: ConvNeXt's 7 x 7 takes
//   23 ms here in the place of 147. For GPUs the bound is what fits registers, and was not measured.
//#import common/activation
//#import common/input
//#import common/output
//#import common/kernel
//#import common/depthwise
//#import common/global_index
const WG = 64u;
const STATISTICS: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of y a block
const WAITING_ROWS: u32 = 1u; //#required // ceil(KH / SH): rows of y that a row of x touches
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_BLOCK - 1) * SW + KW: columns of x that a row of y reads

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>; //#if BIAS || NORM
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(5) var<storage, read_write> partial: array<vec4<f32>>; //#if STATISTICS
@group(0) @binding(6) var<storage, read> residual: array<vec4<f32>>; //#if RESIDUAL //#f16

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.BLOCKS_DOWN * sizes.BLOCKS_ACROSS * sizes.C4) { return; }
  let c = index % sizes.C4;
  let block = index / sizes.C4;
  let column = block % sizes.BLOCKS_ACROSS * COLUMNS_PER_BLOCK;
  let first = block / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * sizes.ROWS_PER_BLOCK;
  let n = block / (sizes.BLOCKS_ACROSS * sizes.BLOCKS_DOWN);
  let input = input_coefficients(c, sizes.C4);
  let output = output_coefficients(c, sizes.C4);
  const TAPS = KH * KW;
  var weights: array<vec4<f32>, TAPS>;
  //#unroll
  for (var kh = 0u; kh < KH; kh++) {
    //#unroll
    for (var kw = 0u; kw < KW; kw++) { weights[kh * KW + kw] = w[(kh * KW + kw) * sizes.C4 + c]; }
  }
  const WAITING = WAITING_ROWS * COLUMNS_PER_BLOCK;
  var sums: array<vec4<f32>, WAITING>;
  let end = min(first + sizes.ROWS_PER_BLOCK, sizes.OH);
  let columns = min(COLUMNS_PER_BLOCK, sizes.OW - column);
  var pivot = vec4(0.0);
  var sum = vec4(0.0);
  var squares = vec4(0.0);
  for (var step = first; step < end + WAITING_ROWS - 1u; step++) {
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
              sums[m * COLUMNS_PER_BLOCK + t] += row[t * SW + kw] * weights[min(m * SH + j, KH - 1u) * KW + kw];
            }
          }
        }
      }
    }
    const LAST = (WAITING_ROWS - 1u) * COLUMNS_PER_BLOCK;
    let oh = step + 1u - WAITING_ROWS;
    if (step >= first + WAITING_ROWS - 1u) {
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
        let to = ((n * sizes.OH + oh) * sizes.OW + column + t) * sizes.C4 + c;
        let v = finish(sums[LAST + t], output, to);
        if (t < columns) { store_y(to, v); }
        // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
        if (STATISTICS) {
          if (t == 0u) { pivot = select(pivot, v, oh == first); }
          let deviation = select(vec4(0.0), v - pivot, t < columns);
          sum += deviation;
          squares += deviation * deviation;
        }
      }
    }
    // The rows of sums that wait move up by one.
    //#unroll
    for (var m = 0u; m < WAITING_ROWS; m++) {
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
        if (m + 1u < WAITING_ROWS) {
          sums[(WAITING_ROWS - 1u - m) * COLUMNS_PER_BLOCK + t] = sums[max(WAITING_ROWS - 1u - m, 1u) * COLUMNS_PER_BLOCK - COLUMNS_PER_BLOCK + t];
        } else {
          sums[t] = vec4(0.0);
        }
      }
    }
  }
  if (STATISTICS) {
    let count = f32((end - first) * columns);
    partial[(block * 2u) * sizes.C4 + c] = pivot + sum / count;
    partial[(block * 2u + 1u) * sizes.C4 + c] = max(squares - sum * sum / count, vec4(0.0));
  }
}
