// Over the first rows = min(step.rows, N) rows, with p = softmax(logits[row]) and q = (1 - SMOOTHING) * onehot + SMOOTHING / CLASSES:
// loss = mean of -sum_c q * log p; dlogits = (p - q) / rows, zero in the other rows;
// metrics[step % RING] = (sum of losses, rows whose first maximum is the target, rows, 0).
// With MIXED the rows are mixed (data/mix): onehot is then share * the row's own target + (1 - share) * that of the row before it
// (the last before the first), and a row counts as right by the target with the larger share.
// With class weights q is multiplied by them, p by the sum of that q, and the mean is over the weights of the rows' targets, whose
// sum is the fourth of the metrics: torch.nn.CrossEntropyLoss(weight, label_smoothing).
// step.batch_weight: what to divide by where the rows are a part of a batch: its rows, or their weights. 0: they are all of it.
// One workgroup: each thread takes rows t, t + WG, ...; thread 0 then adds what the threads have, in order. Batches are small
// beside a workgroup's speed, and one dispatch without a second pass is what a step wants here.
//#import common/channels
//#import common/step
const WG = 64u;
const SMOOTHING: f32 = 0.0; //#required
const METRICS: bool = false;
const CLASS_WEIGHTS: bool = false;
const MIXED: bool = false;

struct Sizes {
  N: u32,
  CLASSES: u32,
  C4: u32, // ceil(CLASSES / 4)
  RING: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> target_class: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> metrics: array<vec4<f32>>; //#if METRICS
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(6) var<storage, read> class_weights: array<vec4<f32>>; //#if CLASS_WEIGHTS
@group(0) @binding(7) var<storage, read> mix_of: array<vec4<f32>>; //#if MIXED
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> sums: array<vec2<f32>, WG>;

const CHANNEL_OFFSETS = vec4(0u, 1u, 2u, 3u);

// Writes the gradient of a row; gives its loss, and 1 if its first maximum is the target.
fn visit(row: u32, rows: u32, batch_weight: f32) -> vec2<f32> {
  let labels = labels_of(row, rows);
  var best = -3.4028234e38;
  var argmax = 0u;
  for (var c = 0u; c < sizes.C4; c++) {
    let v = logits[row * sizes.C4 + c];
    for (var lane = 0u; lane < 4u; lane++) {
      if (4u * c + lane < sizes.CLASSES && v[lane] > best) {
        best = v[lane];
        argmax = 4u * c + lane;
      }
    }
  }
  let one = vec4(1.0);
  var exponentials = vec4(0.0);
  var expected = vec4(0.0); // sum of q * (logit - best)
  var weights = vec4(0.0); // sum of q, which is 1 without class weights
  for (var c = 0u; c < sizes.C4; c++) {
    let v = logits[row * sizes.C4 + c] - best;
    exponentials += mask_channels(exp(v), c, sizes.CLASSES);
    expected += wanted(c, labels) * v;
    if (CLASS_WEIGHTS) { weights += wanted(c, labels); }
  }
  let total = dot(exponentials, one);
  var weight = 1.0;
  if (CLASS_WEIGHTS) { weight = dot(weights, one); }
  for (var c = 0u; c < sizes.C4; c++) {
    let p = mask_channels(exp(logits[row * sizes.C4 + c] - best), c, sizes.CLASSES) / total;
    dlogits[row * sizes.C4 + c] = (weight * p - wanted(c, labels)) / batch_weight;
  }
  return vec2(weight * log(total) - dot(expected, one), select(0.0, 1.0, argmax == select(labels.own, labels.other, labels.share < 0.5)));
}

struct Labels {
  own: u32,
  other: u32,
  share: f32,
}

fn labels_of(row: u32, rows: u32) -> Labels {
  let own = target_class[row];
  if (MIXED) { return Labels(own, target_class[(row + rows - 1u) % rows], mix_of[0].y); }
  return Labels(own, own, 1.0);
}

fn onehot(c: u32, label: u32) -> vec4<f32> {
  return select(vec4(0.0), vec4(1.0), 4u * c + CHANNEL_OFFSETS == vec4(label));
}

// The wanted distribution q, times the class weights, for the c-th vec4 of classes.
fn wanted(c: u32, labels: Labels) -> vec4<f32> {
  var hot = onehot(c, labels.own);
  if (MIXED) { hot = mix(onehot(c, labels.other), hot, labels.share); }
  var q = mask_channels((1.0 - SMOOTHING) * hot + SMOOTHING / f32(sizes.CLASSES), c, sizes.CLASSES);
  if (CLASS_WEIGHTS) {
    q *= class_weights[c];
  }
  return q;
}

// The sum of the weights of the first rows' targets: what a mean over them divides by.
fn weight_of(rows: u32, t: u32) -> f32 {
  if (CLASS_WEIGHTS) {
    var sum = vec2(0.0);
    for (var row = t; row < rows; row += WG) {
      let label = target_class[row];
      sum.x += class_weights[label / 4u][label % 4u];
    }
    sums[t] = sum;
    workgroupBarrier();
    sum = vec2(0.0);
    for (var i = 0u; i < min(WG, rows); i++) { sum += sums[i]; }
    workgroupBarrier();
    return sum.x;
  }
  return f32(rows);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) t: u32) {
  let rows = min(step.rows, sizes.N);
  let weight = weight_of(rows, t);
  var batch_weight = weight;
  if (step.batch_weight > 0.0) { batch_weight = step.batch_weight; }
  var sum = vec2(0.0);
  for (var row = t; row < sizes.N; row += WG) {
    if (row < rows) { sum += visit(row, rows, batch_weight); }
    else { for (var c = 0u; c < sizes.C4; c++) { dlogits[row * sizes.C4 + c] = vec4(0.0); } }
  }
  sums[t] = sum;
  workgroupBarrier();
  if (t > 0u) { return; }
  for (var i = 1u; i < min(WG, sizes.N); i++) { sum += sums[i]; }
  loss[0] = sum.x / batch_weight;
  if (METRICS) { metrics[step.step % sizes.RING] = vec4(sum, f32(rows), select(0.0, weight, CLASS_WEIGHTS)); }
}
