// dx[n, h, w, i] = addend + sum_{kh, kw, o} dy[n, oh, ow, o] * w[kh, kw, i, o] over oh*SH - PH + kh = h, ow*SW - PW + kw = w, one group.
// dx [N, H, W, CI4], dy [N, OH, OW, CO4], w [KH, KW, 4*CI4, CO4], all vec4s of channels.
// A thread owns VEC4S_PER_THREAD vec4s of input channels (CHANNEL_THREADS apart) of a block of ROWS_PER_BLOCK rows by
// COLUMNS_PER_BLOCK columns of dx, a row at a time. Per row of the kernel and vec4 of output channels it loads the columns
// of dy that TAPS_PER_CHUNK taps of each phase read once (a column of dx meets every SW-th tap), and 4*VEC4S_PER_THREAD of
// w a tap (a row of w a channel). The four lanes of a quad own the same channels and place of four images, and stay
// together (common/weights).
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[block, (sum g, sum g xhat), i] of it.
// DERIVATIVE: what is written is (dx + addend) * act'(x_raw).
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
// Variants: one loop and SUBGROUPS as in dense/forward, masked sums of EPILOGUE as in pointwise/backward_input, where they
// were measured.
//#import common/activation
//#import common/input
//#import common/gradient_rows
//#import common/kernel
//#import common/dense
//#import common/weights
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of dx a block, a multiple of SW
const TAPS_PER_CHUNK: u32 = 1u; //#required // taps of a phase of a row of the kernel at a time
const DY_WINDOW: u32 = 1u; //#required // columns of dy that a chunk of taps reads

const VEC4S_PER_THREAD: u32 = 1u; //#required // vec4s of input channels a thread
const SUMS: u32 = 1u; //#required // COLUMNS_PER_BLOCK * VEC4S_PER_THREAD

const WHOLE = KW % (TAPS_PER_CHUNK * SW) == 0u; // no chunk passes the end of a row

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
  // A column of dx meets every SW-th tap from its phase on.
  const PHASE = PW % SW;
  var totals: array<vec4<f32>, VEC4S_PER_THREAD>;
  var products: array<vec4<f32>, VEC4S_PER_THREAD>;
  for (var h = first; h < min(first + sizes.ROWS_PER_BLOCK, sizes.H); h++) {
    var sums = array<vec4<f32>, SUMS>();
    // One loop goes over rows of the kernel, chunks of taps and output channels: on SwiftShader each loop around sums in
    // registers costs a select for each of them at every turn.
    var kh = (h + PH) % SH; // the other rows meet no row of dy
    var first_tap = 0u;
    var o = 0u;
    while (kh < KH) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let oh = (h + PH - kh) / SH;
      let inside = (h + PH >= kh) & (oh < sizes.OH);
      let at = (n * sizes.OH + min(oh, sizes.OH - 1u)) * sizes.OW;
      let gradient = gradient_coefficients(o, sizes.CO4);
      var row: array<vec4<f32>, DY_WINDOW>;
      //#unroll
      for (var j = 0u; j < DY_WINDOW; j++) {
        let ow = column / SW + PW / SW + j + 1u - TAPS_PER_CHUNK - first_tap;
        row[j] = select(vec4(0.0), gradient_at(at + min(ow, sizes.OW - 1u), o, gradient), inside & (ow < sizes.OW));
      }
      //#unroll
      for (var m = 0u; m < TAPS_PER_CHUNK; m++) {
        //#unroll
        for (var phase = 0u; phase < SW; phase++) {
          let kw = (first_tap + m) * SW + phase;
          if (WHOLE || kw < KW) {
            //#unroll
            for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
              let tap = ((kh * KW + kw) * sizes.CI4 + min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CI4 - 1u)) * 4u * sizes.CO4 + o;
              let weights = load_weights(tap, sizes.CO4, lane);
              //#unroll
              for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
                if ((t + PHASE) % SW == phase) {
                  sums[t * VEC4S_PER_THREAD + q] += row[TAPS_PER_CHUNK - 1u + (t + PHASE) / SW - m] * weights;
                }
              }
            }
          }
        }
      }
      o++;
      if (o == sizes.CO4) {
        o = 0u;
        first_tap += TAPS_PER_CHUNK;
        if (first_tap * SW >= KW) {
          first_tap = 0u;
          kh += SH;
        }
      }
    }
    //#unroll
    for (var q = 0u; q < VEC4S_PER_THREAD; q++) {
      let i = min(channel_thread + q * sizes.CHANNEL_THREADS, sizes.CI4 - 1u);
      let owned = channel_thread + q * sizes.CHANNEL_THREADS < sizes.CI4;
      let input = input_coefficients(i, sizes.CI4);
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
        let live = owned & (t < columns);
        let to = ((n * sizes.H + h) * sizes.W + min(column + t, sizes.W - 1u)) * sizes.CI4 + i;
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
