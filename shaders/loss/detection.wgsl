// The loss of a one-stage detector, of the first rows = min(step.rows, N) images. Of each cell of a grid the logits are CLASSES scores
// and four numbers of a box; the target is eight numbers: (class and one, or 0 for a cell of no object; 0, 0, 0), and its box.
// Loss of an image: (sum of the sigmoid focal losses of all scores, with ALPHA and gamma 2, + sum of the smooth L1 losses (beta 1) of the
// boxes of cells of objects) / max(1, cells of objects). dlogits is the gradient of the batch's mean, zero in the other images; what
// that mean divides by is step.batch_weight, or where that is 0 the rows.
// partial, four numbers an image: (loss, cells of objects whose first maximum is their class and whose box overlaps theirs by half, 1, cells
// of objects).
// A workgroup an image: each thread takes cells t, t + WG, ...; sums are in order.
//#import common/step
const WG = 64u;
const ALPHA: f32 = 0.25; //#required

struct Sizes {
  N: u32,
  CELLS: u32,
  CLASSES: u32,
  CHANNELS: u32, // of the logits in memory
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> truth: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> sums: array<vec2<f32>, WG>;

// The focal loss of a score, and its gradient: with s the score of what is wanted, q = sigmoid(s), ce = -log q:
// alpha (1 - q)^2 ce, whose derivative by s is -alpha (1 - q)^2 (2 q ce + 1 - q).
fn focal(x: f32, wanted: bool) -> vec2<f32> {
  let s = select(-x, x, wanted);
  let alpha = select(1.0 - ALPHA, ALPHA, wanted);
  let e = exp(-abs(s));
  let q = select(e, 1.0, s >= 0.0) / (1.0 + e);
  let rest = select(1.0, e, s >= 0.0) / (1.0 + e); // 1 - q, without its cancellation
  let ce = max(-s, 0.0) + log(1.0 + e);
  let slope = -alpha * rest * rest * (2.0 * q * ce + rest);
  return vec2(alpha * rest * rest * ce, select(-slope, slope, wanted));
}

// Where a box is from its cell, in cells: (left, top, right, bottom).
fn corners(box: vec4<f32>) -> vec4<f32> {
  let half = 0.5 * exp(box.zw);
  return vec4(box.xy - half, box.xy + half);
}

fn overlap(a: vec4<f32>, b: vec4<f32>) -> f32 {
  let common_sides = max(min(a.zw, b.zw) - max(a.xy, b.xy), vec2(0.0));
  let shared_area = common_sides.x * common_sides.y;
  let areas = (a.z - a.x) * (a.w - a.y) + (b.z - b.x) * (b.w - b.y);
  return shared_area / (areas - shared_area);
}

// Writes the gradient of a cell; gives its loss, and 1 if it is told rightly.
fn visit(cell: u32, scale: f32) -> vec2<f32> {
  let first = cell * sizes.CHANNELS;
  let label = u32(truth[2u * cell].x);
  var loss = 0.0;
  var best = -3.4028234e38;
  var argmax = 0u;
  for (var c = 0u; c < sizes.CLASSES; c++) {
    let x = logits[first + c];
    let one = focal(x, c + 1u == label);
    loss += one.x;
    dlogits[first + c] = one.y * scale;
    if (x > best) {
      best = x;
      argmax = c;
    }
  }
  for (var c = sizes.CLASSES; c < sizes.CHANNELS; c++) { dlogits[first + c] = 0.0; }
  if (label == 0u) { return vec2(loss, 0.0); }
  let wanted = truth[2u * cell + 1u];
  var box = vec4(0.0);
  for (var i = 0u; i < 4u; i++) { box[i] = logits[first + sizes.CLASSES + i]; }
  let off = box - wanted;
  let far = abs(off) >= vec4(1.0);
  loss += dot(select(0.5 * off * off, abs(off) - 0.5, far), vec4(1.0));
  let slope = select(off, sign(off), far);
  for (var i = 0u; i < 4u; i++) { dlogits[first + sizes.CLASSES + i] = slope[i] * scale; }
  let is_right = argmax + 1u == label && overlap(corners(box), corners(wanted)) >= 0.5;
  return vec2(loss, select(0.0, 1.0, is_right));
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let image = group.x;
  let rows = min(step.rows, sizes.N);
  var batch = f32(rows);
  if (step.batch_weight > 0.0) { batch = step.batch_weight; }
  var objects = 0.0;
  for (var i = 0u; i < sizes.CELLS; i++) { objects += min(truth[2u * (image * sizes.CELLS + i)].x, 1.0); }
  let each = max(objects, 1.0);
  var sum = vec2(0.0);
  for (var i = t; i < sizes.CELLS; i += WG) {
    let cell = image * sizes.CELLS + i;
    if (image < rows) { sum += visit(cell, 1.0 / (each * batch)); }
    else { for (var c = 0u; c < sizes.CHANNELS; c++) { dlogits[cell * sizes.CHANNELS + c] = 0.0; } }
  }
  sums[t] = sum;
  workgroupBarrier();
  if (t > 0u) { return; }
  for (var i = 1u; i < WG; i++) { sum += sums[i]; }
  partial[image] = select(vec4(0.0), vec4(sum.x / each, sum.y, 1.0, objects), image < rows);
}
