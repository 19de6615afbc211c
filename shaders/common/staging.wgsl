// Operands of a product of matrices in workgroup memory, STAGE_DEPTH vec4s of what is summed over at a time.
// The WG threads stand in THREADS_ACROSS columns: thread t owns the rows t / THREADS_ACROSS + r * ROW_STEP, r <
// ROWS_PER_TILE, of the workgroup's block and its columns t % THREADS_ACROSS + q * THREADS_ACROSS, q < VEC4S_PER_THREAD; a
// column is the vec4 `channels_of` of the channels of the result.
// What a thread reads stands in nested arrays, in which only the index of the thread is no constant: WebGPU's check of it against the
// array's length and the place's address are then made once before the loop, not at each read. On an H200 these checks took 30 % of a product.
//#needs WG, ROWS_PER_TILE, VEC4S_PER_THREAD, CHANNEL_THREADS
const ROW_STEP: u32 = 8u; //#required // WG / THREADS_ACROSS
const STAGE_DEPTH: u32 = 4u; //#required
const STAGED_ROWS: u32 = 1u; //#required // rows that a thread stages: ceil(BLOCK_ROWS / STAGE_STEP)
const STAGED_WEIGHTS: u32 = 1u; //#required // vec4s of weights that a thread stages: ceil(4 * STAGE_DEPTH * BLOCK_VEC4S / WG)
const THREADS_ACROSS = WG / ROW_STEP;
const STAGE_STEP = WG / STAGE_DEPTH;
const BLOCK_ROWS = ROWS_PER_TILE * ROW_STEP;
const BLOCK_VEC4S = VEC4S_PER_THREAD * THREADS_ACROSS;

// The vec4s of one k take one place more than they need: threads that stage neighbouring k then use different banks.
struct StagedValues {
  rows: array<array<vec4<f32>, ROW_STEP>, ROWS_PER_TILE>,
  gap: vec4<f32>,
}

// The four rows of weights that belong to k (or, transposed, to the column).
struct StagedWeights {
  columns: array<array<array<vec4<f32>, THREADS_ACROSS>, VEC4S_PER_THREAD>, 4>,
  gap: vec4<f32>,
}

// Where a row finds its taps: the image's first row, and the place of the first tap. Without GATHER the row itself is `image`.
struct Window {
  image: u32,
  h: u32,
  w: u32,
}

var<workgroup> staged_values: array<StagedValues, STAGE_DEPTH>;
var<workgroup> staged_weights: array<StagedWeights, STAGE_DEPTH>;
var<workgroup> shared_sums: array<array<vec4<f32>, THREADS_ACROSS>, ROW_STEP>;

fn channels_of(column: u32, left: u32) -> u32 {
  return left + column % THREADS_ACROSS + column / THREADS_ACROSS * sizes.CHANNEL_THREADS;
}

fn stage_value(k: u32, row: u32, value: vec4<f32>) {
  staged_values[k].rows[row / ROW_STEP][row % ROW_STEP] = value;
}

fn stage_weights(k: u32, j: u32, column: u32, weights: vec4<f32>) {
  staged_weights[k].columns[j][column / THREADS_ACROSS][column % THREADS_ACROSS] = weights;
}

// The q-th of a thread's columns.
fn weights_of(k: u32, q: u32, column: u32) -> mat4x4<f32> {
  return mat4x4(
    staged_weights[k].columns[0][q][column], staged_weights[k].columns[1][q][column],
    staged_weights[k].columns[2][q][column], staged_weights[k].columns[3][q][column],
  );
}

// sum + m * v as a chain of multiply-adds: as a product of matrices it is one multiplication and one addition more.
fn multiply_add(m: mat4x4<f32>, v: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
  return fma(m[3], vec4(v.w), fma(m[2], vec4(v.z), fma(m[1], vec4(v.y), fma(m[0], vec4(v.x), sum))));
}

// Puts a thread's sum over its rows where the others of its column read it.
fn share_sum(row: u32, column: u32, sum: vec4<f32>) {
  workgroupBarrier();
  shared_sums[row][column] = sum;
  workgroupBarrier();
}
