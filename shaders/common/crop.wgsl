// The draws of a crop and its mirroring, for each position of the order: data/gather, which crops as it reads, and data/draw, for the
// shaders behind it, must draw the same.
//#import common/step
//#import common/rng
//#needs CROP

// Where a padded crop of `size` pixels begins in `stored` ones; before the first it wraps below zero. `which` numbers the side's draw.
fn crop_place(position: u32, which: u32, stored: u32, size: u32) -> u32 {
  return random_u32(step.seed, step.epoch, position, which) % (stored - size + 2u * sizes.CROP + 1u) - sizes.CROP;
}

fn is_mirrored(position: u32, which: u32) -> bool {
  return random_u32(step.seed, step.epoch, position, which) >> 31u == 1u;
}
