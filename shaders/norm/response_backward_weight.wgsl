// dweight[c] = sum over images of products[n, c] * response[n, 0, c], where products[n, c] = sum of dy * x over the image.
// One vec4 of channels a thread.
//#import common/global_index
const WG = 64u;

struct Sizes {
  IMAGES: u32,
  C4: u32,
}

@group(0) @binding(0) var<storage, read> products: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> response: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let c = global_index(id, workgroups);
  if (c >= sizes.C4) { return; }
  var sum = vec4(0.0);
  for (var n = 0u; n < sizes.IMAGES; n++) { sum += products[n * sizes.C4 + c] * response[2u * n * sizes.C4 + c]; }
  dweight[c] = sum;
}
