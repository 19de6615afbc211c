// dx = f'(x) * (dy * (1 + weight[c] * response[n, 0, c]) + f(x) * slope[n, c] + addend), one vec4 of channels a thread.
// f(x) is x, or with ACTIVATE_INPUT activate(x).
//#import common/activation
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;
const ACTIVATE_INPUT: bool = false;
const DERIVATIVE: bool = false; // with ACTIVATE_INPUT only; without it the gradient is that of f(x)

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
  PIXELS: u32, // of an image
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> response: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slope: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c = i % sizes.C4;
  let image = i / (sizes.C4 * sizes.PIXELS);
  let x_raw = load_x(i);
  var v = x_raw;
  if (ACTIVATE_INPUT) { v = activate(x_raw); }
  var d = dy[i] * (1.0 + weight[c] * response[2u * image * sizes.C4 + c]) + v * slope[image * sizes.C4 + c];
  if (ADDEND) { d += addend[i]; }
  if (DERIVATIVE) { d *= activate_derivative(x_raw); }
  dx[i] = d;
}
