// torch.optim.SGD over a whole arena: g = clip * gradient + WEIGHT_DECAY * p; buf = MOMENTUM * buf + g;
// p -= lr * (NESTEROV ? g + MOMENTUM * buf : buf). The buffer starts at zero, which makes the first step PyTorch's.
// parameters, gradients, momentum: arenas with equal offsets. A thread takes every (number of threads)-th vec4, so the
// dispatch need not know how large the arena grew. Padding stays zero: zero gradient, zero parameter.
// groups: factors of the learning rate and of the weight decay for each 16 vec4s (see src/ops/optim/groups.ts); else both are 1.
//#import common/step
//#import common/global_index
const WG = 64u;
const MOMENTUM: f32 = 0.0; //#required
const NESTEROV: bool = false; //#required
const WEIGHT_DECAY: f32 = 0.0; //#required
const CLIP: bool = false;
const GROUPS: bool = false;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> clip: array<f32>; //#if CLIP // factor of the gradient
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> momentum: array<vec4<f32>>; //#if MOMENTUM
@group(0) @binding(4) var<uniform> step: Step;
@group(0) @binding(5) var<storage, read> groups: array<vec2<f32>>; //#if GROUPS

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let stride = workgroups.x * workgroups.y * WG;
  let size = arrayLength(&parameters);
  for (var i = global_index(id, workgroups); i < size; i += stride) {
    let p = parameters[i];
    var g = gradients[i];
    if (CLIP) { g *= clip[0]; }
    var lr = step.lr;
    var decay = WEIGHT_DECAY;
    if (GROUPS) {
      lr *= groups[i / 16u].x;
      decay *= groups[i / 16u].y;
    }
    g += decay * p;
    if (MOMENTUM != 0.0) { //#if MOMENTUM
      let buf = MOMENTUM * momentum[i] + g;
      momentum[i] = buf;
      if (NESTEROV) { g += MOMENTUM * buf; } else { g = buf; }
    }
    parameters[i] = p - lr * g;
  }
}
