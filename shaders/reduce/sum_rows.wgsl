// partial[s, c] = sum over the s-th of SPLITS runs of rows of x[row, c]: the gradient of a bias.
// One vec4 of channels of one split a thread; neighbours read neighbouring channels.
const WG: u32 = 64u;
const ROWS: u32 = 1u;
const C4: u32 = 1u; // vec4s a row
const SPLITS: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= SPLITS * C4) { return; }
  let c = i % C4;
  let split = i / C4;
  const RUN = (ROWS + SPLITS - 1u) / SPLITS;
  var sum = vec4(0.0);
  for (var row = split * RUN; row < min((split + 1u) * RUN, ROWS); row++) { sum += x[row * C4 + c]; }
  partial[i] = sum;
}
