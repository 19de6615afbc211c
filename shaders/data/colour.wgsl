// The colours of a batch: x[n, h, w] = ((image - MEAN) / STD, 0), image the bytes of data/resized_crop after the jitter, the operation and
// the erased box that parameters[n] has (data/draw): torchvision's ColorJitter, TrivialAugmentWide's operation, ToTensor, Normalize and
// RandomErasing(value=0), in this order; GRAY: as in data/gather, behind all changes of colour. Between two of them an image is bytes, as PIL's are. Rows n >= step.rows are zero.
// A workgroup an image: what an image says of itself (its mean gray, its darkest and brightest values, its histogram) is found within one.
//#import common/gray
//#import common/step
const WG = 256u;
const JITTER: bool = false; //#required
const TRIVIAL: bool = false; //#required
const ERASING: bool = false; //#required
const GRAY: bool = false; //#required
const MEAN0: f32 = 0.0; //#required
const MEAN1: f32 = 0.0; //#required
const MEAN2: f32 = 0.0; //#required
const STD0: f32 = 1.0; //#required
const STD1: f32 = 1.0; //#required
const STD2: f32 = 1.0; //#required

struct Sizes {
  H: u32,
  W: u32,
}

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> work: array<u32>; //#if JITTER || TRIVIAL
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>; //#f16
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

const AFFINE = 1u;
const BRIGHTER = 2u;
const COLOUR = 3u;
const CONTRASTED = 4u;
const SHARPER = 5u;
const POSTERIZED = 6u;
const SOLARIZED = 7u;
const AUTOCONTRAST = 8u;
const EQUALIZED = 9u;

const LUMA = vec3(0.2989, 0.587, 0.114);

var<workgroup> sums: array<f32, WG>;
var<workgroup> darkest: array<vec3<f32>, WG>;
var<workgroup> brightest: array<vec3<f32>, WG>;
var<workgroup> histogram: array<atomic<u32>, 768>;
var<workgroup> table: array<u32, 768>;

fn unpacked(word: u32) -> vec3<f32> {
  return unpack4x8unorm(word).rgb;
}

fn packed(rgb: vec3<f32>) -> u32 {
  return pack4x8unorm(vec4(clamp(rgb, vec3(0.0), vec3(1.0)), 0.0));
}

// What the operation and the end read: the jittered image where there is one.
fn source(i: u32) -> vec3<f32> {
  if (JITTER || TRIVIAL) { return unpacked(work[i]); } //#if JITTER || TRIVIAL
  return unpacked(bytes[i]);
}

// rgb turned by a share of the circle of hues.
fn with_hue(rgb: vec3<f32>, turn: f32) -> vec3<f32> {
  let high = max(rgb.r, max(rgb.g, rgb.b));
  let chroma = high - min(rgb.r, min(rgb.g, rgb.b));
  if (chroma == 0.0) { return rgb; }
  var hue = 0.0;
  if (high == rgb.r) { hue = (rgb.g - rgb.b) / chroma; }
  else if (high == rgb.g) { hue = 2.0 + (rgb.b - rgb.r) / chroma; }
  else { hue = 4.0 + (rgb.r - rgb.g) / chroma; }
  let turned = hue / 6.0 + turn + 1.0;
  let sixths = vec3(5.0, 3.0, 1.0) + 6.0 * fract(turned);
  let wheel = sixths - 6.0 * floor(sixths / 6.0);
  return high - chroma * clamp(min(wheel, 4.0 - wheel), vec3(0.0), vec3(1.0));
}

// The image's mean gray; every thread of the workgroup gives its share and gets the whole.
fn mean_gray(t: u32, first: u32, size: u32) -> f32 {
  var sum = 0.0;
  for (var i = t; i < size; i += WG) { sum += dot(source(first + i), LUMA); }
  workgroupBarrier();
  sums[t] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < WG; i++) { total += sums[i]; }
  return total / f32(size);
}

fn jitter(t: u32, first: u32, size: u32, place: u32, factors: vec4<f32>) { //#if JITTER
  var left = vec4(0u, 1u, 2u, 3u);
  var rest = place;
  var orders = 6u;
  for (var k = 0u; k < 4u; k++) {
    let at = rest / orders;
    rest %= orders;
    orders = select(1u, 2u, k == 0u);
    let which = left[at];
    for (var i = at; i < 3u; i++) { left[i] = left[i + 1u]; }
    var gray = 0.0;
    if (which == 1u && factors.y != 1.0) { gray = mean_gray(t, first, size); }
    for (var i = t; i < size; i += WG) {
      var rgb = source(first + i);
      switch (which) {
        case 0u: { rgb *= factors.x; }
        case 1u: { rgb = mix(vec3(gray), rgb, factors.y); }
        case 2u: { rgb = mix(vec3(dot(rgb, LUMA)), rgb, factors.z); }
        default: { rgb = with_hue(rgb, factors.w); }
      }
      work[first + i] = packed(rgb); //#if JITTER || TRIVIAL
    }
  }
}

// Each channel's values stretched over the whole range: what to take off, and what to multiply by.
fn stretching(t: u32, first: u32, size: u32) -> array<vec3<f32>, 2> { //#if TRIVIAL
  var low = vec3(1.0);
  var high = vec3(0.0);
  for (var i = t; i < size; i += WG) {
    let rgb = source(first + i);
    low = min(low, rgb);
    high = max(high, rgb);
  }
  darkest[t] = low;
  brightest[t] = high;
  workgroupBarrier();
  for (var i = 0u; i < WG; i++) {
    low = min(low, darkest[i]);
    high = max(high, brightest[i]);
  }
  let flat = high == low;
  return array(select(low, vec3(0.0), flat), select(1.0 / (high - low), vec3(1.0), flat));
}

// Of each channel the table that spreads its histogram evenly. Counts are whole numbers: no order of adding them tells.
fn equalizing(t: u32, first: u32, size: u32) { //#if TRIVIAL
  for (var c = 0u; c < 3u; c++) { atomicStore(&histogram[c * 256u + t], 0u); }
  workgroupBarrier();
  for (var i = t; i < size; i += WG) {
    let value = vec3<u32>(round(255.0 * source(first + i)));
    for (var c = 0u; c < 3u; c++) { atomicAdd(&histogram[c * 256u + value[c]], 1u); }
  }
  workgroupBarrier();
  for (var c = 0u; c < 3u; c++) {
    var before = 0u;
    var last = 0u;
    for (var i = 0u; i < 256u; i++) {
      let count = atomicLoad(&histogram[c * 256u + i]);
      if (i < t) { before += count; }
      if (count > 0u) { last = count; }
    }
    let width = (size - last) / 255u;
    var value = t;
    if (width > 0u) { value = select(min((before + width / 2u) / width, 255u), 0u, t == 0u); }
    table[c * 256u + t] = value;
  }
  workgroupBarrier();
}

struct Place {
  first: u32,
  row: u32,
  column: u32,
}

fn at(p: Place, down: i32, across: i32) -> vec3<f32> {
  let row = u32(i32(p.row) + down);
  let column = u32(i32(p.column) + across);
  return source(p.first + row * sizes.W + column);
}

// Nearest neighbour; black beyond the image.
fn moved(p: Place, x_row: vec4<f32>, y_row: vec4<f32>) -> vec3<f32> { //#if TRIVIAL
  let middle = 0.5 * vec2(f32(sizes.W), f32(sizes.H));
  let place = vec3(vec2(f32(p.column), f32(p.row)) + 0.5 - middle, 1.0);
  let from_place = vec2<i32>(round(vec2(dot(x_row.xyz, place), dot(y_row.xyz, place)) + middle - 0.5));
  if (any(from_place < vec2(0)) || any(from_place >= vec2<i32>(vec2(sizes.W, sizes.H)))) { return vec3(0.0); }
  return source(p.first + u32(from_place.y) * sizes.W + u32(from_place.x));
}

// A blend with the smoothed image; the outermost pixels stay.
fn sharpened(p: Place, factor: f32) -> vec3<f32> { //#if TRIVIAL
  let own = at(p, 0, 0);
  if (p.row == 0u || p.column == 0u || p.row + 1u >= sizes.H || p.column + 1u >= sizes.W) { return own; }
  var sum = 4.0 * own;
  for (var i = -1; i <= 1; i++) {
    for (var j = -1; j <= 1; j++) { sum += at(p, i, j); }
  }
  return mix(unpacked(packed(sum / 13.0)), own, factor);
}

fn posterized(rgb: vec3<f32>, bits: f32) -> vec3<f32> { //#if TRIVIAL
  let kept = (0xffu << (8u - u32(bits))) & 0xffu;
  return vec3<f32>(vec3<u32>(round(255.0 * rgb)) & vec3(kept)) / 255.0;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let n = group.x;
  let size = sizes.H * sizes.W;
  let first = n * size;
  if (n >= step.rows) {
    for (var i = t; i < size; i += WG) { store_x(first + i, vec4(0.0)); }
    return;
  }
  let row = 7u * n;
  if (JITTER || TRIVIAL) { //#if JITTER || TRIVIAL
    for (var i = t; i < size; i += WG) { work[first + i] = bytes[first + i]; }
  }
  if (JITTER) { jitter(t, first, size, u32(parameters[row + 1u].z), parameters[row + 2u]); }
  // The operation may read what other threads have written.
  storageBarrier();
  let kind = u32(parameters[row + 3u].x);
  let amount = parameters[row + 3u].y;
  var gray = 0.0;
  var stretch = array(vec3(0.0), vec3(1.0));
  if (TRIVIAL) {
    if (kind == CONTRASTED) { gray = mean_gray(t, first, size); }
    if (kind == AUTOCONTRAST) { stretch = stretching(t, first, size); }
    if (kind == EQUALIZED) { equalizing(t, first, size); }
  }
  let box = parameters[row + 6u];
  for (var i = t; i < size; i += WG) {
    let p = Place(first, i / sizes.W, i % sizes.W);
    var rgb = source(first + i);
    if (TRIVIAL) {
      switch (kind) {
        case AFFINE: { rgb = moved(p, parameters[row + 4u], parameters[row + 5u]); }
        case BRIGHTER: { rgb *= amount; }
        case COLOUR: { rgb = mix(vec3(dot(rgb, LUMA)), rgb, amount); }
        case CONTRASTED: { rgb = mix(vec3(gray), rgb, amount); }
        case SHARPER: { rgb = sharpened(p, amount); }
        case POSTERIZED: { rgb = posterized(rgb, amount); }
        case SOLARIZED: { rgb = select(rgb, 1.0 - rgb, rgb >= vec3(amount)); }
        case AUTOCONTRAST: { rgb = (rgb - stretch[0]) * stretch[1]; }
        case EQUALIZED: {
          let value = vec3<u32>(round(255.0 * rgb));
          rgb = vec3(f32(table[value.r]), f32(table[256u + value.g]), f32(table[512u + value.b])) / 255.0;
        }
        default: {}
      }
    }
    var out = (unpacked(packed(rgb)) - vec3(MEAN0, MEAN1, MEAN2)) / vec3(STD0, STD1, STD2);
    if (GRAY) { out = vec3((gray_of(unpacked(packed(rgb))) - MEAN0) / STD0, 0.0, 0.0); }
    if (ERASING) {
      let place = vec2(f32(p.row), f32(p.column));
      if (all(place >= box.xy) && all(place < box.xy + box.zw)) { out = vec3(0.0); }
    }
    store_x(first + i, vec4(out, 0.0));
  }
}
