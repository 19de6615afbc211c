// Operands of a product of matrices in workgroup memory, STAGE_DEPTH vec4s of what is summed over at a time.
// The WG threads stand in THREADS_ACROSS columns: thread t owns the rows t / THREADS_ACROSS + r * ROW_STEP, r <
// ROWS_PER_TILE, of the workgroup's block and its columns t % THREADS_ACROSS + q * THREADS_ACROSS, q < VEC4S_PER_THREAD; a
// column is the vec4 `channels_of` of the channels of the result.
//#needs WG, ROWS_PER_TILE, VEC4S_PER_THREAD, CHANNEL_THREADS
const ROW_STEP: u32 = 8u; //#required // WG / THREADS_ACROSS
const STAGE_DEPTH: u32 = 4u; //#required
const STAGED_ROWS: u32 = 1u; //#required // rows that a thread stages: ceil(BLOCK_ROWS / STAGE_STEP)
const STAGED: u32 = 512u; //#required // STAGE_DEPTH * (VALUES + WEIGHTS), or 2 * VEC4S_PER_THREAD * WG where a workgroup's sums take more
const THREADS_ACROSS = WG / ROW_STEP;
const STAGE_STEP = WG / STAGE_DEPTH;
const BLOCK_ROWS = ROWS_PER_TILE * ROW_STEP;
const BLOCK_VEC4S = VEC4S_PER_THREAD * THREADS_ACROSS;
// The vec4s of one k take one place more than they need: threads that stage neighbouring k then use different banks.
const VALUES = BLOCK_ROWS + 1u;
const WEIGHTS = 4u * BLOCK_VEC4S + 1u;

// Where a row finds its taps: the image's first row, and the place of the first tap. Without GATHER the row itself is `image`.
struct Window {
  image: u32,
  h: u32,
  w: u32,
}

var<workgroup> staged: array<vec4<f32>, STAGED>;

fn channels_of(column: u32, left: u32) -> u32 {
  return left + column % THREADS_ACROSS + column / THREADS_ACROSS * sizes.CHANNEL_THREADS;
}

fn stage_value(k: u32, row: u32, value: vec4<f32>) {
  staged[k * VALUES + row] = value;
}

// One of the four rows of weights that belong to k (or, transposed, to the column).
fn stage_weights(k: u32, j: u32, column: u32, weights: vec4<f32>) {
  staged[STAGE_DEPTH * VALUES + k * WEIGHTS + j * BLOCK_VEC4S + column] = weights;
}

fn staged_value(k: u32, row: u32) -> vec4<f32> {
  return staged[k * VALUES + row];
}

fn staged_weights(k: u32, column: u32) -> mat4x4<f32> {
  let at = STAGE_DEPTH * VALUES + k * WEIGHTS + column;
  return mat4x4(staged[at], staged[at + BLOCK_VEC4S], staged[at + 2u * BLOCK_VEC4S], staged[at + 3u * BLOCK_VEC4S]);
}

// A thread's q-th pair of sums over its rows, in the place of what was staged, for the thread that adds up the column.
fn share_sums(local: u32, q: u32, first: vec4<f32>, second: vec4<f32>) {
  staged[(2u * q) * WG + local] = first;
  staged[(2u * q + 1u) * WG + local] = second;
}

// The pair that the thread of a column at a row shared.
fn shared_sums(column: u32, row: u32) -> array<vec4<f32>, 2> {
  let at = 2u * (column / THREADS_ACROSS) * WG + row * THREADS_ACROSS + column % THREADS_ACROSS;
  return array(staged[at], staged[at + WG]);
}

// sum + m * v as a chain of multiply-adds: as a matrix product it would be one multiplication and one addition more.
fn multiply_add(m: mat4x4<f32>, v: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
  return fma(m[3], vec4(v.w), fma(m[2], vec4(v.z), fma(m[1], vec4(v.y), fma(m[0], vec4(v.x), sum))));
}

// sum + v * m likewise.
fn transposed_multiply_add(m: mat4x4<f32>, v: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
  let t = transpose(m);
  return fma(t[3], vec4(v.w), fma(t[2], vec4(v.z), fma(t[1], vec4(v.y), fma(t[0], vec4(v.x), sum))));
}
