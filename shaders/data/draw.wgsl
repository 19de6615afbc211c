// What becomes of each image of a batch, drawn from (seed, epoch, position), so that a resumed run repeats it: parameters[n] = 7 vec4s
//   0 the box that is cropped, in pixels of the stored image: top, left, height, width
//   1 mirrored left to right, top to bottom (0 or 1), place of the order of the jitter among the 24, 0
//   2 factors of brightness, contrast and saturation, shift of hue in turns
//   3 one more operation (numbered below) and its amount, 0, 0
//   4, 5 the rows of an affine map from a place of the result to one of the source, about the middle, x to the right, y down
//   6 the box that is erased, in pixels of the result: top, left, height, width
// as torchvision draws them: RandomResizedCrop.get_params (or RandomCrop's), ColorJitter, TrivialAugmentWide, RandomErasing.
// mix[0] = (1 for mixup, 2 for cutmix; share of an image; 0, 0), mix[1] = the box of cutmix: one for the batch, drawn from (seed, epoch,
// its place in the order).
// One image a thread; the thread behind the last image draws the mix.
//#import common/step
//#import common/crop
const WG = 64u;
const RESIZED: bool = false; //#required
const FLIP: bool = false; //#required
const VERTICAL: bool = false; //#required
const JITTER: bool = false; //#required
const TRIVIAL: bool = false; //#required
const MIX: bool = false;
const LEAST_AREA: f32 = 1.0; //#required
const LOG_RATIO: f32 = 0.0; //#required
const BRIGHTNESS: f32 = 0.0; //#required
const CONTRAST: f32 = 0.0; //#required
const SATURATION: f32 = 0.0; //#required
const HUE: f32 = 0.0; //#required
const ERASING: f32 = 0.0; //#required
const MIXUP: f32 = 0.0; //#required
const CUTMIX: f32 = 0.0; //#required

struct Sizes {
  N: u32,
  STORED_H: u32,
  STORED_W: u32,
  H: u32,
  W: u32,
  TOP: u32,
  LEFT: u32,
  CROP: u32,
}

@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> mix_of: array<vec4<f32>>; //#if MIX
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

const AFFINE = 1.0;
const BRIGHTER = 2.0;
const COLOUR = 3.0;
const CONTRASTED = 4.0;
const SHARPER = 5.0;
const POSTERIZED = 6.0;
const SOLARIZED = 7.0;
const AUTOCONTRAST = 8.0;
const EQUALIZED = 9.0;

const TRIES = 10u;

// From 0 to below 1, for this image (or this batch) alone; `which` numbers its draws.
fn uniform01(key: u32, which: u32) -> f32 {
  return f32(random_u32(step.seed, step.epoch, key, which) >> 8u) / 16777216.0;
}

fn between(key: u32, which: u32, low: f32, high: f32) -> f32 {
  return low + (high - low) * uniform01(key, which);
}

// A whole number from 0 to below count.
fn below(key: u32, which: u32, count: u32) -> u32 {
  return random_u32(step.seed, step.epoch, key, which) % max(count, 1u);
}

// A box of a share of the whole area, of a ratio of width to height drawn on a logarithmic scale; zeros where ten of them do not fit.
fn random_box(position: u32, which: u32, whole: vec2<f32>, area: vec2<f32>, log_ratio: f32) -> vec4<f32> {
  for (var i = 0u; i < TRIES; i++) {
    let wanted = whole.x * whole.y * between(position, which + 4u * i, area.x, area.y);
    let ratio = exp(between(position, which + 4u * i + 1u, -log_ratio, log_ratio));
    let size = round(vec2(sqrt(wanted / ratio), sqrt(wanted * ratio)));
    if (all(size >= vec2(1.0)) && all(size <= whole)) {
      let room = vec2<u32>(whole - size) + vec2(1u);
      let place = vec2(below(position, which + 4u * i + 2u, room.x), below(position, which + 4u * i + 3u, room.y));
      return vec4(vec2<f32>(place), size);
    }
  }
  return vec4(0.0);
}

// As RandomResizedCrop where ten boxes do not fit: the largest middle whose ratio is allowed.
fn middle_box(whole: vec2<f32>) -> vec4<f32> {
  let widest = exp(LOG_RATIO);
  var size = whole;
  if (whole.y < whole.x / widest) { size.x = round(whole.y * widest); }
  else if (whole.y > whole.x * widest) { size.y = round(whole.x * widest); }
  return vec4(floor((whole - size) / 2.0), size);
}

fn crop_box(position: u32) -> vec4<f32> {
  let whole = vec2(f32(sizes.STORED_H), f32(sizes.STORED_W));
  let size = vec2(f32(sizes.H), f32(sizes.W));
  if (RESIZED) {
    let box = random_box(position, 16u, whole, vec2(LEAST_AREA, 1.0), LOG_RATIO);
    if (box.z > 0.0) { return box; }
    return middle_box(whole);
  }
  if (sizes.CROP == 0u) { return vec4(f32(sizes.TOP), f32(sizes.LEFT), size); }
  let place = vec2(crop_place(position, 0u, sizes.STORED_H, sizes.H), crop_place(position, 1u, sizes.STORED_W, sizes.W));
  return vec4(vec2<f32>(vec2<i32>(place)), size);
}

struct Operation {
  kind: f32,
  amount: f32,
  x: vec4<f32>,
  y: vec4<f32>,
}

// TrivialAugmentWide: one of 14 operations at one of 31 strengths.
fn trivial(position: u32) -> Operation {
  let level = f32(below(position, 81u, 31u)) / 30.0;
  let sign = select(1.0, -1.0, below(position, 82u, 2u) == 1u);
  let signed = sign * 0.99 * level;
  var o = Operation(0.0, 0.0, vec4(1.0, 0.0, 0.0, 0.0), vec4(0.0, 1.0, 0.0, 0.0));
  let half_size = 0.5 * vec2(f32(sizes.W), f32(sizes.H));
  switch (below(position, 80u, 14u)) {
    case 1u: { o.kind = AFFINE; o.x = vec4(1.0, signed, signed * half_size.y, 0.0); }
    case 2u: { o.kind = AFFINE; o.y = vec4(signed, 1.0, signed * half_size.x, 0.0); }
    case 3u: { o.kind = AFFINE; o.x.z = -sign * floor(32.0 * level); }
    case 4u: { o.kind = AFFINE; o.y.z = -sign * floor(32.0 * level); }
    case 5u: {
      let angle = sign * radians(135.0) * level;
      o.kind = AFFINE;
      o.x = vec4(cos(angle), -sin(angle), 0.0, 0.0);
      o.y = vec4(sin(angle), cos(angle), 0.0, 0.0);
    }
    case 6u: { o.kind = BRIGHTER; o.amount = 1.0 + signed; }
    case 7u: { o.kind = COLOUR; o.amount = 1.0 + signed; }
    case 8u: { o.kind = CONTRASTED; o.amount = 1.0 + signed; }
    case 9u: { o.kind = SHARPER; o.amount = 1.0 + signed; }
    case 10u: { o.kind = POSTERIZED; o.amount = 8.0 - round(6.0 * level); }
    case 11u: { o.kind = SOLARIZED; o.amount = 1.0 - level; }
    case 12u: { o.kind = AUTOCONTRAST; }
    case 13u: { o.kind = EQUALIZED; }
    default: {}
  }
  return o;
}

// A share drawn from the beta distribution of two equal parameters, as Jöhnk (1964) does it: exact, by rejection.
fn beta(key: u32, which: u32, alpha: f32) -> f32 {
  for (var i = 0u; i < 200u; i++) {
    let x = pow(uniform01(key, which + 2u * i), 1.0 / alpha);
    let y = pow(uniform01(key, which + 2u * i + 1u), 1.0 / alpha);
    if (x + y > 0.0 && x + y <= 1.0) { return x / (x + y); }
  }
  return 0.5;
}

fn draw_mix() {
  if (!MIX) { return; }
  let key = step.batch_offset;
  let cut = CUTMIX > 0.0 && (MIXUP == 0.0 || below(key, 128u, 2u) == 1u);
  var share = beta(key, 132u, max(select(MIXUP, CUTMIX, cut), 0.001));
  var box = vec4(0.0);
  if (cut) {
    let size = vec2(f32(sizes.H), f32(sizes.W));
    let middle = vec2(f32(below(key, 129u, sizes.H)), f32(below(key, 130u, sizes.W)));
    let reach = floor(0.5 * sqrt(1.0 - share) * size);
    let first = max(middle - reach, vec2(0.0));
    let end = min(middle + reach, size);
    box = vec4(first, end - first);
    share = 1.0 - box.z * box.w / (size.x * size.y);
  }
  if (MIX) {
    mix_of[0] = vec4(select(1.0, 2.0, cut), share, 0.0, 0.0);
    mix_of[1] = box;
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = id.x;
  if (n == sizes.N) { draw_mix(); }
  if (n >= min(step.rows, sizes.N)) { return; }
  let position = step.batch_offset + n;
  let at = 7u * n;
  parameters[at] = crop_box(position);
  let mirrored = vec2(FLIP && is_mirrored(position, 2u), VERTICAL && is_mirrored(position, 3u));
  parameters[at + 1u] = vec4(vec2<f32>(mirrored), f32(below(position, 9u, 24u)), 0.0);
  var factors = vec4(1.0, 1.0, 1.0, 0.0);
  if (JITTER) {
    factors = vec4(
      between(position, 4u, max(0.0, 1.0 - BRIGHTNESS), 1.0 + BRIGHTNESS),
      between(position, 5u, max(0.0, 1.0 - CONTRAST), 1.0 + CONTRAST),
      between(position, 6u, max(0.0, 1.0 - SATURATION), 1.0 + SATURATION),
      between(position, 7u, -HUE, HUE),
    );
  }
  parameters[at + 2u] = factors;
  var operation = Operation(0.0, 0.0, vec4(1.0, 0.0, 0.0, 0.0), vec4(0.0, 1.0, 0.0, 0.0));
  if (TRIVIAL) { operation = trivial(position); }
  parameters[at + 3u] = vec4(operation.kind, operation.amount, 0.0, 0.0);
  parameters[at + 4u] = operation.x;
  parameters[at + 5u] = operation.y;
  var erased = vec4(0.0);
  if (ERASING > 0.0) {
    if (uniform01(position, 8u) < ERASING) {
      // torchvision's defaults; its box is smaller than the image
      erased = random_box(position, 84u, vec2(f32(sizes.H), f32(sizes.W)) - 1.0, vec2(0.02, 0.33), log(1.0 / 0.3));
    }
  }
  parameters[at + 6u] = erased;
}
