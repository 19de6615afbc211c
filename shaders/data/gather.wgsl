// A batch out of the data set on the GPU: x[n, h, w] = ((pixel / 255 - MEAN) / STD, 0) and target[n] = the label, of sample
// order[batch_offset + n]. GRAY: the pixel's gray in the place of its three colours, normalised by MEAN0 and STD0.
// Augmentation as torchvision's RandomCrop(H x W, padding = CROP), RandomHorizontalFlip, RandomVerticalFlip, ToTensor, Normalize: a
// place of the stored image padded by CROP pixels is cut out, without CROP the one at (TOP, LEFT), and may be mirrored; what lies beyond
// the image is black (0 before normalisation). It is drawn from (seed, epoch, position), so that a resumed run repeats
// it, and a sample that the order has twice is not twice the same. Rows n >= step.rows are padding: zero images of class 0.
// images: RGB bytes [CAPACITY, STORED_H, STORED_W, 3], four to a word. When they hold the whole data set, sample s lies at s; as a ring (RING)
// the image for position p of the order lies at p % CAPACITY, where the host has put it ahead of time. order, labels: whole.
// One pixel a thread: neighbours read neighbouring bytes and write neighbouring vec4s.
//#import common/step
//#import common/crop
//#import common/global_index
//#import common/gray
//#import common/pixel
const WG = 64u;
const RING: bool = false; //#required
const FLIP: bool = false; //#required
const VERTICAL: bool = false; //#required
const GRAY: bool = false; //#required
const MEAN0: f32 = 0.0; //#required
const MEAN1: f32 = 0.0; //#required
const MEAN2: f32 = 0.0; //#required
const STD0: f32 = 1.0; //#required
const STD1: f32 = 1.0; //#required
const STD2: f32 = 1.0; //#required

struct Sizes {
  N: u32,
  STORED_H: u32,
  STORED_W: u32,
  H: u32,
  W: u32,
  TOP: u32,
  LEFT: u32,
  CAPACITY: u32,
  CROP: u32,
}

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>; //#f16
@group(0) @binding(4) var<storage, read_write> target_class: array<u32>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

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
    store_x(index, vec4(0.0));
    return;
  }
  var row = index / sizes.W % sizes.H;
  var column = index % sizes.W;
  if (FLIP && is_mirrored(position, 2u)) { column = sizes.W - 1u - column; }
  if (VERTICAL && is_mirrored(position, 3u)) { row = sizes.H - 1u - row; }
  if (sizes.CROP > 0u) {
    row += crop_place(position, 0u, sizes.STORED_H, sizes.H);
    column += crop_place(position, 1u, sizes.STORED_W, sizes.W);
  } else {
    row += sizes.TOP;
    column += sizes.LEFT;
  }
  var rgb = vec3(0.0);
  // Places before the image have wrapped to huge numbers: one comparison with its size leaves out those on both sides.
  if (row < sizes.STORED_H && column < sizes.STORED_W) { rgb = pixel(select(sample, position % sizes.CAPACITY, RING), row, column); }
  if (GRAY) {
    store_x(index, vec4((gray_of(rgb) - MEAN0) / STD0, 0.0, 0.0, 0.0));
    return;
  }
  store_x(index, vec4((rgb - vec3(MEAN0, MEAN1, MEAN2)) / vec3(STD0, STD1, STD2), 0.0));
}
