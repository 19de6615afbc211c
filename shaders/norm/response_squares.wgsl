// partial[s, n, c] = sum of f(x)^2 over pixels s, s + SPLITS, ... of the PIXELS of image n. One vec4 of channels of one image
// and split a thread.
// ACTIVATE_INPUT: f(x) = activate(x).
//#import common/input
//#import common/global_index
const WG = 64u;

struct Sizes {
  PIXELS: u32,
  IMAGES: u32,
  C4: u32,
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SPLITS * sizes.IMAGES * sizes.C4) { return; }
  let c = i % sizes.C4;
  let image = i / sizes.C4 % sizes.IMAGES;
  let input = input_coefficients(c, sizes.C4);
  var sum = vec4(0.0);
  for (var pixel = i / (sizes.C4 * sizes.IMAGES); pixel < sizes.PIXELS; pixel += sizes.SPLITS) {
    let v = prologue(load_x((image * sizes.PIXELS + pixel) * sizes.C4 + c), input);
    sum += v * v;
  }
  partial[i] = sum;
}
