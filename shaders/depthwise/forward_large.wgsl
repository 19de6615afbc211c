// y[n, oh, ow, c] = bias[c] + sum_{kh, kw} f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, c]) * w[kh, kw, c], kernels of any size.
// x [N, H, W, C4], y [N, OH, OW, C4], w [KH*KW, C4], all vec4s of channels.
// A thread owns one vec4 of channels of a block of ROWS_PER_BLOCK rows by COLUMNS_PER_BLOCK columns of y, a row at a time.
// Each row of the kernel is taken TAPS_PER_CHUNK taps at a time: their weights and the columns of x they need are loaded
// once for the COLUMNS_PER_BLOCK sums.
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift];
// padding of the image stays 0. STATISTICS: partial[block, (mean, M2), c] over the block's part of y.
// What is written of a sum: common/output.
// Taken for kernels whose weights and waiting rows would not fit the registers of depthwise/forward: see there.
//#import common/activation
//#import common/input
//#import common/output
//#import common/kernel
//#import common/depthwise
//#import common/global_index
const WG = 64u;
const STATISTICS: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of y a block
const TAPS_PER_CHUNK: u32 = 1u; //#required // taps of a row of the kernel at a time
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_BLOCK - 1) * SW + TAPS_PER_CHUNK: columns of x that a chunk of taps reads

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
  let end = min(first + sizes.ROWS_PER_BLOCK, sizes.OH);
  let columns = min(COLUMNS_PER_BLOCK, sizes.OW - column);
  var pivot = vec4(0.0);
  var sum = vec4(0.0);
  var squares = vec4(0.0);
  for (var oh = first; oh < end; oh++) {
    var sums = array<vec4<f32>, COLUMNS_PER_BLOCK>();
    for (var kh = 0u; kh < KH; kh++) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let ih = oh * SH + kh - PH;
      if (ih >= sizes.H) { continue; }
      let at = (n * sizes.H + ih) * sizes.W;
      for (var first_tap = 0u; first_tap < KW; first_tap += TAPS_PER_CHUNK) {
        var row: array<vec4<f32>, X_WINDOW>;
        //#unroll
        for (var i = 0u; i < X_WINDOW; i++) {
          let iw = column * SW + first_tap + i - PW;
          row[i] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.C4 + c), input), iw < sizes.W);
        }
        //#unroll
        for (var k = 0u; k < TAPS_PER_CHUNK; k++) {
          let kw = first_tap + k;
          let weight = select(vec4(0.0), w[(kh * KW + min(kw, KW - 1u)) * sizes.C4 + c], kw < KW);
          //#unroll
          for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) { sums[t] += row[t * SW + k] * weight; }
        }
      }
    }
    //#unroll
    for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
      if (t < columns) {
        let to = ((n * sizes.OH + oh) * sizes.OW + column + t) * sizes.C4 + c;
        let v = finish(sums[t], output, to);
        store_y(to, v);
        if (STATISTICS) {
          if (t == 0u && oh == first) { pivot = v; }
          sum += v - pivot;
          squares += (v - pivot) * (v - pivot);
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
