// What a network of one channel sees of red, green and blue from 0 to 1: Pillow's gray of their bytes (mode L), from 0 to 1.
fn gray_of(rgb: vec3<f32>) -> f32 {
  let bytes = vec3<u32>(round(255.0 * rgb));
  return f32((19595u * bytes.r + 38470u * bytes.g + 7471u * bytes.b + 32768u) >> 16u) / 255.0;
}
