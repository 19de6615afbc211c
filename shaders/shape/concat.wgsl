// y[row, c] = a[row, c] for c < CA, b[row, c - CA] after. One vec4 of channels a thread, gathered lane by lane, since CA
// need not be a multiple of four.
const WG: u32 = 64u;
const SIZE: u32 = 1u; // vec4s of y
const CA: u32 = 4u;
const CB: u32 = 4u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= SIZE) { return; }
  const C4 = (CA + CB + 3u) / 4u;
  const CAP = (CA + 3u) / 4u * 4u;
  const CBP = (CB + 3u) / 4u * 4u;
  let row = i / C4;
  var v = vec4(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    let c = i % C4 * 4u + lane;
    if (c < CA) { v[lane] = a[row * CAP + c]; }
    else if (c < CA + CB) { v[lane] = b[row * CBP + c - CA]; }
  }
  y[i] = v;
}
