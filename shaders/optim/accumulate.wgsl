// Gradient accumulation over whole arenas: sums += gradients, behind each micro-batch of a batch but the last. Behind that (LAST)
// gradients += sums, for the update to find the whole batch's, and sums = 0 for the next batch. Threads as in optim/sgd.
//#import common/global_index
const WG = 64u;
const LAST: bool = false; //#required

@group(0) @binding(0) var<storage, read_write> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let stride = workgroups.x * workgroups.y * WG;
  let size = arrayLength(&gradients);
  for (var i = global_index(id, workgroups); i < size; i += stride) {
    let sum = sums[i] + gradients[i];
    if (LAST) {
      gradients[i] = sum;
      sums[i] = vec4(0.0);
    } else {
      sums[i] = sum;
    }
  }
}
