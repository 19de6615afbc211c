// Kernel, stride and padding of a convolution whose register windows depend on them.
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const SH: u32 = 1u; //#required
const SW: u32 = 1u; //#required
const PH: u32 = 0u; //#required
const PW: u32 = 0u; //#required
