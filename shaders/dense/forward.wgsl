// y[n, oh, ow, o] = bias[o] + sum_{kh, kw, i} f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, i]) * w[kh, kw, i, o], one group.
// x [N, H, W, CI4], y [N, OH, OW, CO4], w [KH, KW, 4*CI4, CO4], all vec4s of channels.
// A thread owns VEC4S_PER_THREAD vec4s of output channels (CHANNEL_THREADS apart, so that neighbours read neighbouring
// weights) of a block of ROWS_PER_BLOCK rows by COLUMNS_PER_BLOCK columns of y, a row at a time. Per row of the kernel and
// vec4 of input channels it loads the columns of x that TAPS_PER_CHUNK taps read once, and 4*VEC4S_PER_THREAD of w a tap
// for 4*COLUMNS_PER_BLOCK*VEC4S_PER_THREAD vec4 multiply-adds. The four lanes of a quad own the same channels and place of
// four images, and stay together (common/weights).
// PROLOGUE: x is the raw output of the layer before, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift];
// padding of the image stays 0. STATISTICS: partial[block, (mean, M2), o] over the block's part of y.
// What is written of a sum: common/output.
// Variants, with what they brought on SwiftShader (docs/performance.md):
// - The three loops around the sums are made one: the forward pass of a stem 2.6 x faster alone.
// - SUBGROUPS as in pointwise/forward, where it was measured.
//#import common/activation
//#import common/input
//#import common/output
//#import common/kernel
//#import common/dense
//#import common/weights
//#import common/global_index
const WG = 64u;
const STATISTICS: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of y a block
const TAPS_PER_CHUNK: u32 = 1u; //#required // taps of a row of the kernel at a time
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_BLOCK - 1) * SW + TAPS_PER_CHUNK: columns of x that a chunk of taps reads

const VEC4S_PER_THREAD: u32 = 1u; //#required // vec4s of output channels a thread
const SUMS: u32 = 1u; //#required // COLUMNS_PER_BLOCK * VEC4S_PER_THREAD

const WHOLE = KW % TAPS_PER_CHUNK == 0u; // no chunk passes the end of a row

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
  let lane = index % 4u;
  let channel_thread = index / 4u % sizes.CHANNEL_THREADS;
  let place = index / (4u * sizes.CHANNEL_THREADS); // a block of an image
  let column = place % sizes.BLOCKS_ACROSS * COLUMNS_PER_BLOCK;
  let first = place / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * sizes.ROWS_PER_BLOCK;
  let image = place / (sizes.BLOCKS_ACROSS * sizes.BLOCKS_DOWN) * 4u + lane;
  if (image - lane >= sizes.N) { return; }
  let n = min(image, sizes.N - 1u); // a lane beyond the last image only loads weights
  let block = (image * sizes.BLOCKS_DOWN + first / sizes.ROWS_PER_BLOCK) * sizes.BLOCKS_ACROSS + column / COLUMNS_PER_BLOCK;
  let end = min(first + sizes.ROWS_PER_BLOCK, sizes.OH);
  let columns = select(0u, min(COLUMNS_PER_BLOCK, sizes.OW - column), image < sizes.N);
  var pivots: array<vec4<f32>, VEC4S_PER_THREAD>;
  var totals: array<vec4<f32>, VEC4S_PER_THREAD>;
  var squares: array<vec4<f32>, VEC4S_PER_THREAD>;
  for (var oh = first; oh < end; oh++) {
    var sums = array<vec4<f32>, SUMS>();
    // One loop goes over rows of the kernel, chunks of taps and input channels: on SwiftShader each loop around sums in
    // registers costs a select for each of them at every turn.
    var kh = 0u;
    var first_tap = 0u;
    var i = 0u;
    while (kh < KH) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let ih = oh * SH + kh - PH;
      let at = (n * sizes.H + min(ih, sizes.H - 1u)) * sizes.W;
      let input = input_coefficients(i, sizes.CI4);
      var row: array<vec4<f32>, X_WINDOW>;
      //#unroll
      for (var j = 0u; j < X_WINDOW; j++) {
        if (j % SW < TAPS_PER_CHUNK) {
          let iw = column * SW + first_tap + j - PW;
          row[j] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.CI4 + i), input), (ih < sizes.H) & (iw < sizes.W));
        }
      }
      //#unroll
      for (var k = 0u; k < TAPS_PER_CHUNK; k++) {
        let kw = first_tap + k;
        if (WHOLE || kw < KW) {
          //#unroll
          for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
            let tap = ((kh * KW + kw) * sizes.CI4 + i) * 4u * sizes.CO4 + min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
            let weights = load_weights(tap, sizes.CO4, lane);
            //#unroll
            for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) { sums[t * VEC4S_PER_THREAD + q] += weights * row[t * SW + k]; }
          }
        }
      }
      i++;
      if (i == sizes.CI4) {
        i = 0u;
        first_tap += TAPS_PER_CHUNK;
        if (first_tap >= KW) {
          first_tap = 0u;
          kh++;
        }
      }
    }
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let o = min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
      let owned = channel_thread + q * sizes.CHANNEL_THREADS < sizes.CO4;
      let output = output_coefficients(o, sizes.CO4);
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
        let pixel = (n * sizes.OH + oh) * sizes.OW + column + t;
        let v = finish(sums[t * VEC4S_PER_THREAD + q], output, pixel * sizes.CO4 + o);
        let live = owned & (t < columns);
        if (live) { store_y(pixel * sizes.Y_PITCH + sizes.Y_START + o, v); }
        // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
        if (STATISTICS) {
          if (t == 0u) { pivots[q] = select(pivots[q], v, oh == first); }
          let deviation = select(vec4(0.0), v - pivots[q], live);
          totals[q] += deviation;
          squares[q] += deviation * deviation;
        }
      }
    }
  }
  if (STATISTICS) {
    let count = f32((end - first) * columns);
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let o = channel_thread + q * sizes.CHANNEL_THREADS;
      if (o < sizes.CO4 && image < sizes.N) {
        partial[(block * 2u) * sizes.CO4 + o] = pivots[q] + totals[q] / count;
        partial[(block * 2u + 1u) * sizes.CO4 + o] = max(squares[q] - totals[q] * totals[q] / count, vec4(0.0));
      }
    }
  }
}
