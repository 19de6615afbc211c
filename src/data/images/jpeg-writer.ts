/** A component as a frame names it. */
export interface Component {
  id: number;
  /** blocks across and down in a unit of an interleaved scan */
  h: number;
  v: number;
  quantisation: number;
}

/** Writes a JPEG, which begins with Adobe's marker to say what its colours are: 0 for RGB, 1 for luma and chroma. */
export class JpegWriter {
  private bytes = new Uint8Array(2 ** 16);
  private length = 0;
  private pending = 0;
  private bits = 0;

  constructor(transform: number) {
    this.raw([0xff, 0xd8]);
    this.segment(0xee, [...'Adobe'].map((c) => c.charCodeAt(0)).concat([0, 100, 0, 0, 0, 0, transform]));
  }

  raw(content: ArrayLike<number>): void {
    this.reserve(content.length);
    this.bytes.set(content, this.length);
    this.length += content.length;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(2 * this.bytes.length + count);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  segment(marker: number, content: ArrayLike<number>): void {
    const size = content.length + 2;
    this.raw([0xff, marker, size >> 8, size & 255]);
    this.raw(content);
  }

  /** `source`: the original frame, whose depth and size stay. */
  frame(marker: number, source: Uint8Array, components: Component[]): void {
    const rows = components.flatMap(({ id, h, v, quantisation }) => [id, (h << 4) | v, quantisation]);
    this.segment(marker, [...source.subarray(0, 5), components.length, ...rows]);
  }

  /** `range`: the coefficients that the scan holds. */
  scan(members: { component: Component; tables: number }[], range: Uint8Array): void {
    const rows = members.flatMap(({ component, tables }) => [component.id, tables]);
    this.segment(0xda, [members.length, ...rows, ...range]);
  }

  bit(bit: number): void {
    this.pending = (this.pending << 1) | bit;
    if (++this.bits < 8) return;
    this.reserve(2);
    this.bytes[this.length++] = this.pending;
    if (this.pending === 0xff) this.bytes[this.length++] = 0;
    this.pending = this.bits = 0;
  }

  /** Ones up to the next byte. */
  align(): void {
    while (this.bits > 0) this.bit(1);
  }

  restart(marker: number): void {
    this.align();
    this.raw([0xff, marker]);
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.raw([0xff, 0xd9]);
    return this.bytes.slice(0, this.length);
  }
}
