// A batch out of the data set on the GPU, cropped to boxes and resized: out[n, h, w] = sum of weight * pixel, rounded to bytes (RGB0,
// four to a word), and target[n] = the label, of sample order[batch_offset + n], whose box and mirroring are parameters[n] (data/draw).
// Resized as torchvision's functional.resized_crop(antialias=True) of a float tensor: a triangle, or with CUBIC Keys' cubic of a = -1/2,
// which widens with the reduction; its taps stay within the box and their weights add up to one. What a box takes in beyond the image
// is black. Rows n >= step.rows are padding: black images of class 0.
// images, labels, order: as in data/gather. One pixel a thread: a box is at most the stored image, so that the taps are few.
//#import common/step
//#import common/global_index
//#import common/pixel
const WG = 64u;
const RING: bool = false; //#required
const CUBIC: bool = false; //#required

struct Sizes {
  N: u32,
  STORED_H: u32,
  STORED_W: u32,
  H: u32,
  W: u32,
  CAPACITY: u32,
}

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<u32>;
@group(0) @binding(6) var<storage, read_write> target_class: array<u32>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

// The weight of a tap so many pixels of the coarser image away.
fn tap(distance: f32) -> f32 {
  let d = abs(distance);
  if (!CUBIC) { return max(0.0, 1.0 - d); }
  if (d < 1.0) { return (1.5 * d - 2.5) * d * d + 1.0; }
  return select(0.0, ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0, d < 2.0);
}

// The taps along one side, counted from the box's first pixel: first, end, and the middle and spacing of the filter.
struct Taps {
  first: i32,
  end: i32,
  centre: f32,
  widening: f32,
}

fn taps_of(place: u32, size: u32, box: f32) -> Taps {
  let scale = box / f32(size);
  let widening = max(scale, 1.0);
  let centre = (f32(place) + 0.5) * scale;
  let reach = select(1.0, 2.0, CUBIC) * widening;
  let first = max(0, i32(floor(centre - reach + 0.5)));
  return Taps(first, min(i32(box), i32(floor(centre + reach + 0.5))), centre, widening);
}

fn weight(taps: Taps, k: i32) -> f32 {
  return tap((f32(k) - taps.centre + 0.5) / taps.widening);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.H * sizes.W) { return; }
  let n = index / (sizes.H * sizes.W);
  let counts = n < step.rows;
  let position = step.batch_offset + n;
  var sample = 0u;
  if (counts) { sample = order[position]; }
  if (index % (sizes.H * sizes.W) == 0u) { target_class[n] = select(0u, labels[sample], counts); }
  if (!counts) {
    out[index] = 0u;
    return;
  }
  let box = parameters[7u * n];
  let mirrored = parameters[7u * n + 1u];
  var row = index / sizes.W % sizes.H;
  var column = index % sizes.W;
  if (mirrored.x > 0.0) { column = sizes.W - 1u - column; }
  if (mirrored.y > 0.0) { row = sizes.H - 1u - row; }
  let image = select(sample, position % sizes.CAPACITY, RING);
  let down = taps_of(row, sizes.H, box.z);
  let across = taps_of(column, sizes.W, box.w);
  var sum = vec3(0.0);
  var total_down = 0.0;
  for (var i = down.first; i < down.end; i++) {
    var line = vec3(0.0);
    var total_across = 0.0;
    let y = u32(i + i32(box.x));
    for (var j = across.first; j < across.end; j++) {
      let share = weight(across, j);
      let place = u32(j + i32(box.y));
      total_across += share;
      // Places before the image have wrapped to huge numbers.
      if (y < sizes.STORED_H && place < sizes.STORED_W) { line += share * pixel(image, y, place); }
    }
    let share = weight(down, i);
    total_down += share;
    sum += share * (line / total_across);
  }
  // A cubic overshoots; bytes do not.
  out[index] = pack4x8unorm(vec4(clamp(sum / total_down, vec3(0.0), vec3(1.0)), 0.0));
}
