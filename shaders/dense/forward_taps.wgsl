// y[n, oh, ow, o] = that of dense/forward, of which a thread takes all taps of a kernel at a time, for kernels of up to 3 x 3.
// A thread owns VEC4S_PER_THREAD vec4s of output channels (CHANNEL_THREADS apart) of a block of ROWS_PER_BLOCK rows by
// COLUMNS_PER_BLOCK columns of y, TILE_ROWS rows at a time: per vec4 of input channels it loads X_ROWS by X_WINDOW of x, which the taps
// share, and 4*KH*KW*VEC4S_PER_THREAD of w for 4*KH*KW*SUMS vec4 multiply-adds. Quads, PROLOGUE and STATISTICS as in dense/forward.
// Taken where sums may leave the registers: a tile of 4 x 4 pixels with twice the sums has 56 % of the loads a product, which on
// SwiftShader are most of the time (docs/performance.md).
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
const TILE_ROWS: u32 = 1u; //#required // rows of y at a time
const X_ROWS: u32 = 1u; //#required // (TILE_ROWS - 1) * SH + KH: rows of x that these meet
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_BLOCK - 1) * SW + KW: columns of x
const VEC4S_PER_THREAD: u32 = 1u; //#required // vec4s of output channels a thread
const SUMS: u32 = 1u; //#required // TILE_ROWS * COLUMNS_PER_BLOCK * VEC4S_PER_THREAD
const SUMS_OF_ROW = COLUMNS_PER_BLOCK * VEC4S_PER_THREAD;

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
  for (var oh = first; oh < end; oh += TILE_ROWS) {
    var sums = array<vec4<f32>, SUMS>();
    for (var i = 0u; i < sizes.CI4; i++) {
      let input = input_coefficients(i, sizes.CI4);
      var values: array<vec4<f32>, X_ROWS * X_WINDOW>;
      //#unroll
      for (var r = 0u; r < X_ROWS; r++) {
        // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
        let ih = oh * SH + r - PH;
        let at = (n * sizes.H + min(ih, sizes.H - 1u)) * sizes.W;
        //#unroll
        for (var j = 0u; j < X_WINDOW; j++) {
          let iw = column * SW + j - PW;
          values[r * X_WINDOW + j] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.CI4 + i), input), (ih < sizes.H) & (iw < sizes.W));
        }
      }
      //#unroll
      for (var kh = 0u; kh < KH; kh++) {
        //#unroll
        for (var kw = 0u; kw < KW; kw++) {
          //#unroll
          for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
            let tap = ((kh * KW + kw) * sizes.CI4 + i) * 4u * sizes.CO4 + min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
            let weights = load_weights(tap, sizes.CO4, lane);
            //#unroll
            for (var r = 0u; r < TILE_ROWS; r++) {
              //#unroll
              for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
                sums[r * SUMS_OF_ROW + t * VEC4S_PER_THREAD + q] += weights * values[(r * SH + kh) * X_WINDOW + t * SW + kw];
              }
            }
          }
        }
      }
    }
    // A row is written in a turn, which makes the text short.
    //#turns
    for (var r = 0u; r < TILE_ROWS; r++) {
      let row = oh + r;
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let o = min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CO4 - 1u);
        let owned = channel_thread + q * sizes.CHANNEL_THREADS < sizes.CO4;
        let output = output_coefficients(o, sizes.CO4);
        //#unroll
        for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
          let pixel = (n * sizes.OH + row) * sizes.OW + column + t;
          let v = finish(sums[t * VEC4S_PER_THREAD + q], output, pixel * sizes.CO4 + o);
          let live = owned & (row < end) & (t < columns);
          if (live) { store_y(pixel * sizes.Y_PITCH + sizes.Y_START + o, v); }
          // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
          if (STATISTICS) {
            if (t == 0u) { pivots[q] = select(pivots[q], v, row == first); }
            let deviation = select(vec4(0.0), v - pivots[q], live);
            totals[q] += deviation;
            squares[q] += deviation * deviation;
          }
        }
      }
      // The sums of the next row move to the places of this one's: register arrays are registers only where their indices are
      // constants.
      //#unroll
      for (var k = 0u; k < SUMS; k++) { sums[k] = sums[min(k + SUMS_OF_ROW, SUMS - 1u)]; }
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
