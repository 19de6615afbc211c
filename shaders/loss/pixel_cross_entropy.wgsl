// Cross-entropy of every pixel of the first rows = min(step.rows, N) images, with p = softmax of a pixel's logits:
// dlogits = (p - onehot) / (PIXELS * batch), zero in the other images; batch: step.batch_weight, or where that is 0 the rows.
// partial, a row of 4 + 4 CLASSES numbers an image: (mean loss of its pixels, those whose first maximum is the target, 1, 0), and of
// each class (pixels told rightly, pixels told to be of it, pixels of it, 0): what an intersection over union is made of.
// A workgroup an image: each thread takes pixels t, t + WG, ...; counts are whole numbers, thread 0 adds the losses in order.
//#import common/channels
//#import common/step
const WG = 64u;
const CLASSES: u32 = 2u; //#required

struct Sizes {
  N: u32,
  PIXELS: u32,
  C4: u32, // ceil(CLASSES / 4)
}

@group(0) @binding(0) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> truth: array<f32>; // a class a pixel
@group(0) @binding(2) var<storage, read_write> dlogits: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> losses: array<f32, WG>;
var<workgroup> right: array<atomic<u32>, CLASSES>;
var<workgroup> told: array<atomic<u32>, CLASSES>;
var<workgroup> there: array<atomic<u32>, CLASSES>;

// Writes the gradient of a pixel and counts it; gives its loss.
fn visit(pixel: u32, scale: f32) -> f32 {
  let label = u32(truth[pixel]);
  var best = -3.4028234e38;
  var argmax = 0u;
  for (var c = 0u; c < CLASSES; c++) {
    let v = logits[pixel * sizes.C4 + c / 4u][c % 4u];
    if (v > best) {
      best = v;
      argmax = c;
    }
  }
  var total = 0.0;
  for (var c = 0u; c < sizes.C4; c++) {
    total += dot(mask_channels(exp(logits[pixel * sizes.C4 + c] - best), c, CLASSES), vec4(1.0));
  }
  for (var c = 0u; c < sizes.C4; c++) {
    let p = mask_channels(exp(logits[pixel * sizes.C4 + c] - best), c, CLASSES) / total;
    let onehot = select(vec4(0.0), vec4(1.0), 4u * c + vec4(0u, 1u, 2u, 3u) == vec4(label));
    dlogits[pixel * sizes.C4 + c] = (p - onehot) * scale;
  }
  if (argmax == label) { atomicAdd(&right[label], 1u); }
  atomicAdd(&told[argmax], 1u);
  atomicAdd(&there[label], 1u);
  return log(total) - (logits[pixel * sizes.C4 + label / 4u][label % 4u] - best);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let image = group.x;
  let rows = min(step.rows, sizes.N);
  var batch = f32(rows);
  if (step.batch_weight > 0.0) { batch = step.batch_weight; }
  var sum = 0.0;
  for (var i = t; i < sizes.PIXELS; i += WG) {
    let pixel = image * sizes.PIXELS + i;
    if (image < rows) { sum += visit(pixel, 1.0 / (f32(sizes.PIXELS) * batch)); }
    else { for (var c = 0u; c < sizes.C4; c++) { dlogits[pixel * sizes.C4 + c] = vec4(0.0); } }
  }
  losses[t] = sum;
  workgroupBarrier();
  if (t > 0u) { return; }
  for (var i = 1u; i < WG; i++) { sum += losses[i]; }
  var correct = 0u;
  for (var c = 0u; c < CLASSES; c++) {
    let counted = vec3(atomicLoad(&right[c]), atomicLoad(&told[c]), atomicLoad(&there[c]));
    correct += counted.x;
    partial[image * (1u + CLASSES) + 1u + c] = vec4(vec3<f32>(counted), 0.0);
  }
  partial[image * (1u + CLASSES)] = vec4(sum / f32(sizes.PIXELS), f32(correct), select(0.0, 1.0, image < rows), 0.0);
}
