// partial[s, kh, kw, c] = sum over the s-th SHARED_SPLITS of SPLITS splits of the blocks of f(x[n, oh*SH - PH + kh, ow*SW - PW + kw, c])
//   * dy[n, oh, ow, c]
// Kernels of any size. x [N, H, W, C4], dy [N, OH, OW, C4], all vec4s of channels.
// A thread owns one vec4 of channels of TAPS_PER_CHUNK taps of one row of the kernel, of one split; it goes through blocks
// of ROWS_PER_BLOCK rows by COLUMNS_PER_BLOCK columns of dy a row at a time. reduce/sum_splits adds the splits in order.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift). BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of
// which this reads A g + B y_raw + C. coef: with PROLOGUE [mean, rstd, scale, shift], then [A, B, C], C4 vec4s each.
// BIAS: also bias_partial[s, c], the sum of dy alone, by the threads of the row PH of the kernel, which meets every row of dy.
// Taken for kernels of more taps than fit registers: see depthwise/forward_large.
//#import common/activation
//#import common/input
//#import common/gradient
//#import common/kernel
//#import common/depthwise
//#import common/splits
const WG = 64u;
const BIAS: bool = false;
const COLUMNS_PER_BLOCK: u32 = 1u; //#required // columns of dy a block
const TAPS_PER_CHUNK: u32 = 1u; //#required // taps a thread
const FOURS_OF_TAPS: u32 = 1u; //#required // ceil(TAPS_PER_CHUNK / 4)
const CHUNKS: u32 = 1u; //#required // ceil(KW / TAPS_PER_CHUNK)
const X_WINDOW: u32 = 1u; //#required // (COLUMNS_PER_BLOCK - 1) * SW + TAPS_PER_CHUNK: columns of x that a row of dy meets

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
  let first_tap = index / sizes.C4 % CHUNKS * TAPS_PER_CHUNK;
  let kh = index / (sizes.C4 * CHUNKS) % KH;
  let part = index / (sizes.C4 * CHUNKS * KH);
  let split = part * SHARED_SPLITS + local / COLUMNS; // of those past the last, which have no blocks, nothing is written
  let gradient = gradient_coefficients(c, sizes.C4);
  let input = input_coefficients(c, sizes.C4);
  var sums: array<vec4<f32>, TAPS_PER_CHUNK>;
  var bias_sum = vec4(0.0);
  let blocks = sizes.N * sizes.BLOCKS_DOWN * sizes.BLOCKS_ACROSS;
  let blocks_per_split = (blocks + sizes.SPLITS - 1u) / sizes.SPLITS;
  for (var block = split * blocks_per_split; block < min((split + 1u) * blocks_per_split, blocks); block++) {
    let column = block % sizes.BLOCKS_ACROSS * COLUMNS_PER_BLOCK;
    let first = block / sizes.BLOCKS_ACROSS % sizes.BLOCKS_DOWN * sizes.ROWS_PER_BLOCK;
    let n = block / (sizes.BLOCKS_ACROSS * sizes.BLOCKS_DOWN);
    for (var oh = first; oh < min(first + sizes.ROWS_PER_BLOCK, sizes.OH); oh++) {
      // Rows above the image have wrapped to huge numbers: one comparison with its height leaves out those on both sides.
      let ih = oh * SH + kh - PH;
      if (ih >= sizes.H) { continue; }
      let at = (n * sizes.H + ih) * sizes.W;
      var row: array<vec4<f32>, X_WINDOW>;
      //#unroll
      for (var i = 0u; i < X_WINDOW; i++) {
        let iw = column * SW + first_tap + i - PW;
        row[i] = select(vec4(0.0), prologue(load_x((at + min(iw, sizes.W - 1u)) * sizes.C4 + c), input), iw < sizes.W);
      }
      //#unroll
      for (var t = 0u; t < COLUMNS_PER_BLOCK; t++) {
        let to = ((n * sizes.OH + oh) * sizes.OW + min(column + t, sizes.OW - 1u)) * sizes.C4 + c;
        let d = select(vec4(0.0), load_gradient(to, gradient), column + t < sizes.OW);
        if (BIAS) { bias_sum += d; }
        //#unroll
        for (var k = 0u; k < TAPS_PER_CHUNK; k++) { sums[k] += row[t * SW + k] * d; }
      }
    }
  }
  let writes = local < COLUMNS && part * SHARED_SPLITS < sizes.SPLITS;
  //#unroll
  for (var q = 0u; q < FOURS_OF_TAPS; q++) {
    var four: array<vec4<f32>, 4>;
    //#unroll
    for (var j = 0u; j < 4u; j++) {
      if (q * 4u + j < TAPS_PER_CHUNK) { four[j] = sums[min(q * 4u + j, TAPS_PER_CHUNK - 1u)]; }
    }
    let total = add_splits(four, local);
    if (writes) {
      //#unroll
      for (var j = 0u; j < 4u; j++) {
        let kw = first_tap + q * 4u + j;
        if (q * 4u + j < TAPS_PER_CHUNK && kw < KW) { partial[((part * KH + kh) * KW + kw) * sizes.C4 + c] = total[j]; }
      }
    }
  }
  if (BIAS) {
    let total = add_splits(array(bias_sum, vec4(0.0), vec4(0.0), vec4(0.0)), local)[0];
    if (writes && kh == PH && first_tap == 0u) { bias_partial[part * sizes.C4 + c] = total; }
  }
}
