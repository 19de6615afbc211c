// How many of the K places from `start` on (which wraps below zero) lie in 0 .. size - 1.
fn places_inside(start: u32, k: u32, size: u32) -> f32 {
  let first = i32(start);
  return f32(min(first + i32(k), i32(size)) - max(first, 0));
}

// How many of the K places from `first` on lie in an image of so many places, padding included: all of them but for the last
// window of ceil_mode.
fn places_padded(first: u32, k: u32, size: u32) -> f32 {
  return f32(min(k, size - first));
}

// The first window whose k places, from window * stride on, hold `place`. (Later ones do while window * stride <= place.)
fn first_window(place: u32, k: u32, stride: u32) -> u32 {
  if (place < k) { return 0u; }
  return (place - k) / stride + 1u;
}
