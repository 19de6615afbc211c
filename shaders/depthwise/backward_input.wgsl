// dx[n, h, w, c] = addend + sum_{kh, kw} dy[n, oh, ow, c] * w[kh, kw, c] over oh*SH - PH + kh = h, ow*SW - PW + kw = w.
// Small kernels. dx [N, H, W, C4], dy [N, OH, OW, C4], w [KH*KW, C4], all vec4s of channels.
// A thread owns one vec4 of channels of a block of ROWS_PER_BLOCK*SH rows by COLUMNS_PER_BLOCK columns of dx and walks down
// it: a step reads one row of dy, adds it to the KH rows of dx it touches (they wait in registers) and completes SH of them.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[block, (sum g, sum g xhat), c] of it.
// DERIVATIVE: what is written is (dx + addend) * act'(x_raw).
// WIDE_ADDEND: the addend is the first channels of a wider tensor, the gradient of a concatenation.
// coef: with EPILOGUE [mean, rstd, scale, shift], then with BACKWARD_PROLOGUE [A, B, C], C4 vec4s each.
// Variants: see depthwise/forward; masked sums of EPILOGUE as in pointwise/backward_input.
//#import common/activation
//#import common/channels
//#import common/input
//#import common/gradient
//#import common/kernel
//#import common/depthwise
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;
const WIDE_ADDEND: bool = false; // without ADDEND
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of dx a block, a multiple of SW
const WAITING_ROWS: u32 = 1u; //#required // max(KH, SH): rows of dx that wait
const REACH: u32 = 1u; //#required // ceil(KW / SW): columns of dy that touch a column of dx
const DY_WINDOW: u32 = 1u; //#required // columns of dy that a row of the block reads

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND || WIDE_ADDEND
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>; //#if EPILOGUE || BACKWARD_PROLOGUE
@group(0) @binding(4) var<storage, read> y_raw: array<vec4<f32>>; //#if BACKWARD_PROLOGUE //#f16
@group(0) @binding(5) var<storage, read> x_raw: array<vec4<f32>>; //#if EPILOGUE || DERIVATIVE //#f16
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4<f32>>; //#if EPILOGUE

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.BLOCKS_DOWN * sizes.BLOCKS_ACROSS * sizes.C4) { return; }
  let c = index % sizes.C4;
  let block = index / sizes.C4;
  let column = block % sizes.BLOCKS_ACROSS * COLUMNS_PER_BLOCK;
  let first = block / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * sizes.ROWS_PER_BLOCK;
  let n = block / (sizes.BLOCKS_ACROSS * sizes.BLOCKS_DOWN);
  // Rows of dx are completed SH at a time, from -(PH % SH) on. A column of dx meets every SW-th tap from its phase on.
  const ROW_PHASE = PH % SH;
  const PHASE = PW % SW;
  const WARM = (KH - 1u) / SH;
  const TAPS = KH * KW;
  var weights: array<vec4<f32>, TAPS>;
  //#unroll
  for (var kh = 0u; kh < KH; kh++) {
    //#unroll
    for (var kw = 0u; kw < KW; kw++) { weights[kh * KW + kw] = w[(kh * KW + kw) * sizes.C4 + c]; }
  }
  let gradient = gradient_coefficients(c, sizes.C4);
  let input = input_coefficients(c, sizes.C4);
  const WAITING = WAITING_ROWS * COLUMNS_PER_BLOCK;
  var sums: array<vec4<f32>, WAITING>;
  var sum = vec4(0.0);
  var products = vec4(0.0);
  for (var step = 0u; step < sizes.ROWS_PER_BLOCK + WARM; step++) {
    // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
    let oh = first + step + PH / SH - WARM;
    let at = (n * sizes.OH + min(oh, sizes.OH - 1u)) * sizes.OW;
    var row: array<vec4<f32>, DY_WINDOW>;
    //#unroll
    for (var i = 0u; i < DY_WINDOW; i++) {
      let ow = column / SW + PW / SW + i + 1u - REACH;
      row[i] = select(vec4(0.0), load_gradient((at + min(ow, sizes.OW - 1u)) * sizes.C4 + c, gradient), (oh < sizes.OH) & (ow < sizes.OW));
    }
    //#unroll
    for (var kh = 0u; kh < KH; kh++) {
      //#unroll
      for (var m = 0u; m < REACH; m++) {
        //#unroll
        for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
          if ((t + PHASE) % SW + m * SW < KW) {
            sums[kh * COLUMNS_PER_BLOCK + t] += row[REACH - 1u + (t + PHASE) / SW - m]
              * weights[kh * KW + min((t + PHASE) % SW + m * SW, KW - 1u)];
          }
        }
      }
    }
    if (step >= WARM) {
      //#unroll
      for (var j = 0u; j < SH; j++) {
        let h = (first + step - WARM) * SH + j - ROW_PHASE;
        //#unroll
        for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
          let live = (h < sizes.H) & (column + t < sizes.W);
          let pixel = (n * sizes.H + min(h, sizes.H - 1u)) * sizes.W + min(column + t, sizes.W - 1u);
          let i = pixel * sizes.C4 + c;
          var v = sums[j * COLUMNS_PER_BLOCK + t];
          if (ADDEND) { v += addend[i]; }
          if (WIDE_ADDEND) { v += mask_channels(addend[pixel * sizes.ADDEND_C4 + c], c, sizes.CHANNELS); }
          if (DERIVATIVE) { v *= activate_derivative(load_x_raw(i)); }
          // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
          if (EPILOGUE) {
            let raw = load_x_raw(i);
            v = select(vec4(0.0), v * activate_derivative(raw * input.scale + input.shift), live);
            sum += v;
            products += v * (raw - input.mean) * input.rstd;
          }
          if (live) { dx[i] = v; }
        }
      }
    }
    //#unroll
    for (var r = 0u; r < WAITING_ROWS; r++) {
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
        if (r + SH < WAITING_ROWS) {
          sums[r * COLUMNS_PER_BLOCK + t] = sums[min(r + SH, WAITING_ROWS - 1u) * COLUMNS_PER_BLOCK + t];
        } else {
          sums[r * COLUMNS_PER_BLOCK + t] = vec4(0.0);
        }
      }
    }
  }
  if (EPILOGUE) {
    partial[(block * 2u) * sizes.C4 + c] = sum;
    partial[(block * 2u + 1u) * sizes.C4 + c] = products;
  }
}
