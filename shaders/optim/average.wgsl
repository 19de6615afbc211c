// average += average_weight * (values - average) over a whole arena, as torch.optim.swa_utils' exponential average: a weight of
// 1 - decay. A weight of 1 takes the values as they are. Threads as in optim/sgd.
//#import common/step
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> average: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> step: Step;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let stride = workgroups.x * workgroups.y * WG;
  let size = arrayLength(&values);
  for (var i = global_index(id, workgroups); i < size; i += stride) {
    average[i] = mix(average[i], values[i], step.average_weight);
  }
}
