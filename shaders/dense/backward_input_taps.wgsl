// dx[n, h, w, i] = that of dense/backward_input, of which a thread takes all taps of a kernel at a time, for kernels of up to 3 x 3 of
//   stride 1.
// A thread owns VEC4S_PER_THREAD vec4s of input channels (CHANNEL_THREADS apart) of a block of ROWS_PER_BLOCK rows by
// COLUMNS_PER_BLOCK columns of dx, TILE_ROWS rows at a time: per vec4 of output channels it loads DY_ROWS by DY_WINDOW of dy, which
// the taps share, and 4*KH*KW*VEC4S_PER_THREAD of w. Quads and what is read and written as in dense/backward_input, taken as
// dense/forward_taps.
//#import common/activation
//#import common/input
//#import common/gradient_rows
//#import common/kernel
//#import common/dense
//#import common/weights
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of dx a block
const TILE_ROWS: u32 = 1u; //#required // rows of dx at a time
const DY_ROWS: u32 = 1u; //#required // TILE_ROWS + KH - 1: rows of dy that these meet
const DY_WINDOW: u32 = 1u; //#required // COLUMNS_PER_BLOCK + KW - 1: columns of dy
const VEC4S_PER_THREAD: u32 = 1u; //#required // vec4s of input channels a thread
const SUMS: u32 = 1u; //#required // TILE_ROWS * COLUMNS_PER_BLOCK * VEC4S_PER_THREAD
const SUMS_OF_ROW = COLUMNS_PER_BLOCK * VEC4S_PER_THREAD;

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
  let lane = index % 4u;
  let channel_thread = index / 4u % sizes.CHANNEL_THREADS;
  let place = index / (4u * sizes.CHANNEL_THREADS); // a block of an image
  let column = place % sizes.BLOCKS_ACROSS * COLUMNS_PER_BLOCK;
  let first = place / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * sizes.ROWS_PER_BLOCK;
  let image = place / (sizes.BLOCKS_ACROSS * sizes.BLOCKS_DOWN) * 4u + lane;
  if (image - lane >= sizes.N) { return; }
  let n = min(image, sizes.N - 1u); // a lane beyond the last image only loads weights
  let block = (image * sizes.BLOCKS_DOWN + first / sizes.ROWS_PER_BLOCK) * sizes.BLOCKS_ACROSS + column / COLUMNS_PER_BLOCK;
  let columns = select(0u, min(COLUMNS_PER_BLOCK, sizes.W - column), image < sizes.N);
  var totals: array<vec4<f32>, VEC4S_PER_THREAD>;
  var products: array<vec4<f32>, VEC4S_PER_THREAD>;
  let end = min(first + sizes.ROWS_PER_BLOCK, sizes.H);
  for (var h = first; h < end; h += TILE_ROWS) {
    var sums = array<vec4<f32>, SUMS>();
    for (var o = 0u; o < sizes.CO4; o++) {
      let gradient = gradient_coefficients(o, sizes.CO4);
      var values: array<vec4<f32>, DY_ROWS * DY_WINDOW>;
      //#unroll
      for (var r = 0u; r < DY_ROWS; r++) {
        // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
        let oh = h + PH + r + 1u - KH;
        let at = (n * sizes.OH + min(oh, sizes.OH - 1u)) * sizes.OW;
        //#unroll
        for (var j = 0u; j < DY_WINDOW; j++) {
          let ow = column + PW + j + 1u - KW;
          values[r * DY_WINDOW + j] = select(vec4(0.0), gradient_at(at + min(ow, sizes.OW - 1u), o, gradient), (oh < sizes.OH) & (ow < sizes.OW));
        }
      }
      //#unroll
      for (var kh = 0u; kh < KH; kh++) {
        //#unroll
        for (var kw = 0u; kw < KW; kw++) {
          //#unroll
          for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
            let tap = ((kh * KW + kw) * sizes.CI4 + min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CI4 - 1u)) * 4u * sizes.CO4 + o;
            let weights = load_weights(tap, sizes.CO4, lane);
            //#unroll
            for (var r = 0u; r < TILE_ROWS; r++) {
              //#unroll
              for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
                sums[r * SUMS_OF_ROW + t * VEC4S_PER_THREAD + q] += values[(r + KH - 1u - kh) * DY_WINDOW + t + KW - 1u - kw] * weights;
              }
            }
          }
        }
      }
    }
    // A row is written in a turn, which makes the text short.
    //#turns
    for (var r = 0u; r < TILE_ROWS; r++) {
      let row = h + r;
      //#unroll
      for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
        let i = min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CI4 - 1u);
        let owned = channel_thread + q * sizes.CHANNEL_THREADS < sizes.CI4;
        let input = input_coefficients(i, sizes.CI4);
        //#unroll
        for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
          let live = owned & (row < end) & (t < columns);
          let to = ((n * sizes.H + min(row, sizes.H - 1u)) * sizes.W + min(column + t, sizes.W - 1u)) * sizes.CI4 + i;
          var v = sums[t * VEC4S_PER_THREAD + q];
          if (ADDEND) { v += addend[to]; }
          if (DERIVATIVE) { v *= activate_derivative(load_x_raw(to)); }
          // Sums are masked rather than branched around: on SwiftShader a branch costs a select for each sum in registers.
          if (EPILOGUE) {
            let raw = load_x_raw(to);
            v = select(vec4(0.0), v * activate_derivative(raw * input.scale + input.shift), live);
            totals[q] += v;
            products[q] += v * (raw - input.mean) * input.rstd;
          }
          if (live) { dx[to] = v; }
        }
      }
      // The sums of the next row move to the places of this one's: register arrays are registers only where their indices are
      // constants.
      //#unroll
      for (var k = 0u; k < SUMS; k++) { sums[k] = sums[min(k + SUMS_OF_ROW, SUMS - 1u)]; }
    }
  }
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let i = channel_thread + q * sizes.CHANNEL_THREADS;
      if (i < sizes.CI4 && image < sizes.N) {
        partial[(block * 2u) * sizes.CI4 + i] = totals[q];
        partial[(block * 2u + 1u) * sizes.CI4 + i] = products[q];
      }
    }
  }
}
