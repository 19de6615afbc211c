// dx[n, h, w, c] = addend + sum_{kh, kw} dy[n, oh, ow, c] * w[kh, kw, c] over oh*SH - PH + kh = h, ow*SW - PW + kw = w.
// Kernels of any size. dx [N, H, W, C4], dy [N, OH, OW, C4], w [KH*KW, C4], all vec4s of channels.
// A thread owns one vec4 of channels of a block of ROWS_PER_BLOCK rows by COLUMNS_PER_BLOCK columns of dx, a row at a time.
// Of each row of the kernel TAPS_PER_CHUNK taps of each phase (a column of dx meets every SW-th tap) are taken at a time.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[block, (sum g, sum g xhat), c] of it.
// DERIVATIVE: what is written is (dx + addend) * act'(x_raw).
// coef: with EPILOGUE [mean, rstd, scale, shift], then with BACKWARD_PROLOGUE [A, B, C], C4 vec4s each.
// Taken for kernels of more taps than fit registers: see depthwise/forward_large.
//#import common/activation
//#import common/input
//#import common/gradient
//#import common/kernel
//#import common/depthwise
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of dx a block, a multiple of SW
const TAPS_PER_CHUNK: u32 = 1u; //#required // taps of a phase of a row of the kernel at a time
const DY_WINDOW: u32 = 1u; //#required // columns of dy that a chunk of taps reads

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
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
  // A column of dx meets every SW-th tap from its phase on.
  const PHASE = PW % SW;
  let gradient = gradient_coefficients(c, sizes.C4);
  let input = input_coefficients(c, sizes.C4);
  var sum = vec4(0.0);
  var products = vec4(0.0);
  for (var h = first; h < min(first + sizes.ROWS_PER_BLOCK, sizes.H); h++) {
    var sums = array<vec4<f32>, COLUMNS_PER_BLOCK>();
    for (var kh = 0u; kh < KH; kh++) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let row_at = h + PH - kh;
      if (row_at % SH != 0u || row_at / SH >= sizes.OH) { continue; }
      let at = (n * sizes.OH + row_at / SH) * sizes.OW;
      for (var first_tap = 0u; first_tap * SW < KW; first_tap += TAPS_PER_CHUNK) {
        var row: array<vec4<f32>, DY_WINDOW>;
        //#unroll
        for (var i = 0u; i < DY_WINDOW; i++) {
          let ow = column / SW + PW / SW + i + 1u - TAPS_PER_CHUNK - first_tap;
          row[i] = select(vec4(0.0), load_gradient((at + min(ow, sizes.OW - 1u)) * sizes.C4 + c, gradient), ow < sizes.OW);
        }
        //#unroll
        for (var m = 0u; m < TAPS_PER_CHUNK; m++) {
          //#unroll
          for (var phase = 0u; phase < SW; phase++) {
            let kw = (first_tap + m) * SW + phase;
            let weight = select(vec4(0.0), w[(kh * KW + min(kw, KW - 1u)) * sizes.C4 + c], kw < KW);
            //#unroll
            for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
              if ((t + PHASE) % SW == phase) { sums[t] += row[TAPS_PER_CHUNK - 1u + (t + PHASE) / SW - m] * weight; }
            }
          }
        }
      }
    }
    //#unroll
    for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
      if (column + t < sizes.W) {
        let i = ((n * sizes.H + h) * sizes.W + column + t) * sizes.C4 + c;
        var v = sums[t];
        if (ADDEND) { v += addend[i]; }
        if (DERIVATIVE) { v *= activate_derivative(load_x_raw(i)); }
        if (EPILOGUE) {
          let raw = load_x_raw(i);
          v *= activate_derivative(raw * input.scale + input.shift);
          sum += v;
          products += v * (raw - input.mean) * input.rstd;
        }
        dx[i] = v;
      }
    }
  }
  if (EPILOGUE) {
    partial[(block * 2u) * sizes.C4 + c] = sum;
    partial[(block * 2u + 1u) * sizes.C4 + c] = products;
  }
}
