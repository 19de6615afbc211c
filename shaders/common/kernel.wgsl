// Kernel, stride and padding of a convolution whose register windows depend on them.
const KH: u32 = 1u;
const KW: u32 = 1u;
const SH: u32 = 1u;
const SW: u32 = 1u;
const PH: u32 = 0u;
const PW: u32 = 0u;
