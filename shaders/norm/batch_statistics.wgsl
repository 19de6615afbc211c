// partial[s, 0, c] = mean, partial[s, 1, c] = M2 = sum of squared deviations, over the s-th run of RUN rows of x[row, c].
// One vec4 of channels of one split a thread; neighbouring threads read neighbouring memory at each step of the loop.
// Sums are of x - x[first, c]: a row of the data as shift keeps the squares small where the mean is far from zero.
const WG: u32 = 64u;
const ROWS: u32 = 1u;
const C4: u32 = 1u; // vec4s a row
const SPLITS: u32 = 1u; // ceil(ROWS / RUN)
const RUN: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= SPLITS * C4) { return; }
  let c = i % C4;
  let split = i / C4;
  let first = split * RUN;
  let end = min(first + RUN, ROWS);
  let shift = x[first * C4 + c];
  var sum = vec4(0.0);
  var squares = vec4(0.0);
  for (var row = first; row < end; row++) {
    let d = x[row * C4 + c] - shift;
    sum += d;
    squares += d * d;
  }
  let count = f32(end - first);
  let mean = sum / count;
  partial[2u * split * C4 + c] = shift + mean;
  partial[(2u * split + 1u) * C4 + c] = max(squares - sum * mean, vec4(0.0));
}
