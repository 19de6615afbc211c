// partial[FIRST + j] = the sum of squares of every THREADS-th vec4 of the gradients from the j-th on: the norm's first stage.
// One partial sum a thread; neighbours read neighbouring vec4s.
//#import common/global_index
const WG = 64u;

struct Sizes {
  THREADS: u32,
  FIRST: u32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let j = global_index(id, workgroups);
  if (j >= sizes.THREADS) { return; }
  var sum = vec4(0.0);
  let size = arrayLength(&gradients);
  for (var i = j; i < size; i += sizes.THREADS) { sum += gradients[i] * gradients[i]; }
  partial[sizes.FIRST + j] = dot(sum, vec4(1.0));
}
