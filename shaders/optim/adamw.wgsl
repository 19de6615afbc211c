// torch.optim.AdamW over a whole arena: p *= 1 - lr * WEIGHT_DECAY; m += (1 - beta1) * (g - m); v = beta2 * v + (1 - beta2) * g^2;
// p -= lr * m * correction1 / (sqrt(v * correction2) + EPS), with correction = 1 / (1 - beta^t) from the host.
// Arenas, threads and groups as in optim/sgd. 1 - beta comes as a constant of its own: f32 would lose four digits of it.
//#import common/step
//#import common/global_index
const WG = 64u;
const ONE_MINUS_BETA1: f32 = 0.1; //#required
const BETA2: f32 = 0.999; //#required
const ONE_MINUS_BETA2: f32 = 0.001; //#required
const EPS: f32 = 1e-8; //#required
const WEIGHT_DECAY: f32 = 0.0; //#required
const CLIP: bool = false;
const GROUPS: bool = false;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> clip: array<f32>; //#if CLIP // factor of the gradient
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> momentum: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second_moment: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(6) var<storage, read> groups: array<vec2<f32>>; //#if GROUPS

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let stride = workgroups.x * workgroups.y * WG;
  let size = arrayLength(&parameters);
  for (var i = global_index(id, workgroups); i < size; i += stride) {
    let p = parameters[i];
    var g = gradients[i];
    if (CLIP) { g *= clip[0]; }
    let m = momentum[i] + ONE_MINUS_BETA1 * (g - momentum[i]);
    let v = BETA2 * second_moment[i] + ONE_MINUS_BETA2 * g * g;
    momentum[i] = m;
    second_moment[i] = v;
    var lr = step.lr;
    var decay = WEIGHT_DECAY;
    if (GROUPS) {
      lr *= groups[i / 16u].x;
      decay *= groups[i / 16u].y;
    }
    let update = m * step.correction1 / (sqrt(v * step.correction2) + EPS);
    parameters[i] = p - lr * decay * p - lr * update;
  }
}
