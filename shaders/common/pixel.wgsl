// A pixel of an image of the data set, red, green and blue from 0 to 1: RGB bytes [images, STORED_H, STORED_W, 3], four to a word.
//#needs images, STORED_H, STORED_W
fn pixel(image: u32, row: u32, column: u32) -> vec3<f32> {
  let byte = ((image * sizes.STORED_H + row) * sizes.STORED_W + column) * 3u;
  let shift = byte % 4u * 8u;
  var bits = images[byte / 4u] >> shift;
  // The three bytes of a pixel may run on into the next word.
  if (shift > 8u) { bits |= images[byte / 4u + 1u] << (32u - shift); }
  return vec3<f32>(vec3(bits, bits >> 8u, bits >> 16u) & vec3(255u)) / 255.0;
}
