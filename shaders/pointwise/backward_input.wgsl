// dx[row, i] = addend + sum_o dy[row, o] * w[i, o]: the gradient of a 1x1 convolution's input, rows = all pixels.
// dx [ROWS, CI4], dy [ROWS, CO4], w [4*CI4, CO4], all vec4s of channels.
// A thread owns QUADS vec4s of input channels (GROUPS apart) of RUN rows, TILE rows at a time: per vec4 of output channels
// it loads TILE of dy and 4*QUADS of w (a row of w a channel) for 4*TILE*QUADS dot products.
// BACKWARD_PROLOGUE: dy is the gradient g behind a batch norm, of which this reads A g + B y_raw + C.
// EPILOGUE: what is written is (dx + addend) * act'(scale x_raw + shift), and partial[run, (sum g, sum g xhat), i] of it.
// coef: with EPILOGUE [mean, rstd, scale, shift], CI4 vec4s each, then with BACKWARD_PROLOGUE [A, B, C], CO4 each.
//#import common/activation
//#import common/input
//#import common/gradient
const WG: u32 = 64u;
const ROWS: u32 = 1u;
const CI4: u32 = 1u;
const CO4: u32 = 1u;
const ADDEND: bool = false;
const TILE: u32 = 1u;
const QUADS: u32 = 1u;
const SUMS: u32 = 1u; // TILE * QUADS
const GROUPS: u32 = 1u; // ceil(CI4 / QUADS)
const RUN: u32 = 1u; // a multiple of TILE
const RUNS: u32 = 1u; // ceil(ROWS / RUN)

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> y_raw: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> x_raw: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= RUNS * GROUPS) { return; }
  let group = index % GROUPS;
  let run = index / GROUPS;
  let end = min((run + 1u) * RUN, ROWS);
  var totals: array<vec4<f32>, QUADS>;
  var products: array<vec4<f32>, QUADS>;
  for (var first = run * RUN; first < end; first += TILE) {
    var sums = array<vec4<f32>, SUMS>();
    for (var o = 0u; o < CO4; o++) {
      let gradient = gradient_coefficients(o, CO4);
      var values: array<vec4<f32>, TILE>;
      //#unroll
      for (var r = 0u; r < TILE; r++) { values[r] = load_gradient(min(first + r, ROWS - 1u) * CO4 + o, gradient); }
      //#unroll
      for (var q = 0u; q < QUADS; q++) {
        let at = min(group + q * GROUPS, CI4 - 1u) * 4u * CO4 + o;
        let w0 = w[at];
        let w1 = w[at + CO4];
        let w2 = w[at + 2u * CO4];
        let w3 = w[at + 3u * CO4];
        //#unroll
        for (var r = 0u; r < TILE; r++) {
          sums[r * QUADS + q] +=
            vec4(dot(values[r], w0), dot(values[r], w1), dot(values[r], w2), dot(values[r], w3));
        }
      }
    }
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let i = group + q * GROUPS;
      if (i < CI4) {
        let input = input_coefficients(i, CI4);
        //#unroll
        for (var r = 0u; r < TILE; r++) {
          if (first + r < end) {
            let at = (first + r) * CI4 + i;
            var v = sums[r * QUADS + q];
            if (ADDEND) { v += addend[at]; }
            if (EPILOGUE) {
              let raw = x_raw[at];
              v *= activate_derivative(raw * input.scale + input.shift);
              totals[q] += v;
              products[q] += v * (raw - input.mean) * input.rstd;
            }
            dx[at] = v;
          }
        }
      }
    }
  }
  if (EPILOGUE) {
    //#unroll
    for (var q = 0u; q < QUADS; q++) {
      let i = group + q * GROUPS;
      if (i < CI4) {
        partial[(run * 2u) * CI4 + i] = totals[q];
        partial[(run * 2u + 1u) * CI4 + i] = products[q];
      }
    }
  }
}
