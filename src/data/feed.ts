import { imageBytes, readImages } from './pixels';
import type { LabelledImages } from './types';

/** Where a feed writes: a session. Keys are `input:name`; `offset`: bytes into the input. */
export interface InputWriter {
  write(key: string, data: ArrayBufferView<ArrayBuffer>, offset?: number): void;
}

/** How the images of one set get to the GPU, and in what order. A pass goes over them once, batch by batch. */
export interface Feed {
  readonly images: LabelledImages;
  /** of them */
  readonly count: number;
  /** images that the GPU holds at a time: all, or as many as a ring has places */
  readonly held: number;
  /** Begins a pass over the images in that order, in which an image may come twice or never. */
  begin(order: Uint32Array<ArrayBuffer>): void;
  /** Has the next run find the `rows` images from position `first` of the pass on: any position, in the middle too. */
  ready(first: number, rows: number): Promise<void>;
}

/** Images that are written to the GPU at a time: a multiple of four, so that writes begin and end with whole words. */
const CHUNK = 64;

/**
 * The feed of a set.
 * @param name the prefix of the program's inputs: `name images`, `name labels` and `name order`
 * @param held images that the input has room for: all of the set, else those of a ring
 * @param targets what images are to be told as beside their class, `[count, size]`: the program's input `name targets`
 */
export async function openFeed(
  session: InputWriter,
  name: string,
  images: LabelledImages,
  held: number,
  targets?: Float32Array<ArrayBuffer>,
): Promise<Feed> {
  if (targets) session.write(`input:${name} targets`, targets);
  session.write(`input:${name} labels`, Uint32Array.from(images.labels));
  if (held < images.count) return new StreamedFeed(session, name, images, held);
  await upload(session, name, images);
  return new ResidentFeed(session, name, images);
}

/** Writes all images of a set. */
async function upload(session: InputWriter, name: string, images: LabelledImages): Promise<void> {
  const { pixels, count } = images;
  if (pixels instanceof Uint8Array) return session.write(`input:${name} images`, wholeWords(pixels));
  const size = imageBytes(images);
  const chunk = new Uint8Array(CHUNK * size);
  for (let first = 0; first < count; first += CHUNK) {
    const rows = Math.min(CHUNK, count - first);
    await readImages(
      images,
      Uint32Array.from({ length: rows }, (_, i) => first + i),
      chunk,
    );
    session.write(`input:${name} images`, wholeWords(chunk.subarray(0, rows * size)), first * size);
  }
}

/** All images lie on the GPU from the start; a pass writes its order alone. */
class ResidentFeed implements Feed {
  readonly count: number;
  readonly held: number;

  constructor(
    private readonly session: InputWriter,
    private readonly name: string,
    readonly images: LabelledImages,
  ) {
    this.count = images.count;
    this.held = images.count;
  }

  begin(order: Uint32Array<ArrayBuffer>): void {
    this.session.write(`input:${this.name} order`, order);
  }

  async ready(): Promise<void> {}
}

/** A pass, and which of its positions the ring holds: from `from` on, up to `to`. */
interface Pass {
  order: Uint32Array<ArrayBuffer>;
  from: number;
  to: number;
}

/**
 * The GPU holds a ring of images: that of position p of the pass lies at place p modulo the ring's capacity. While a batch is
 * computed, the next one is read and written beside it. WebGPU's queue takes writes and runs in the order in which they were
 * called, so that a place is written anew only after the runs that read it; nothing has to wait.
 */
class StreamedFeed implements Feed {
  readonly count: number;
  private readonly size: number;
  /** the ring as the GPU has it: writes are of whole words, which two images may share */
  private readonly ring: Uint8Array<ArrayBuffer>;
  private pass: Pass = { order: new Uint32Array(), from: 0, to: 0 };
  /** settles when what is read ahead has been written */
  private ahead: Promise<void> = Promise.resolve();

  constructor(
    private readonly session: InputWriter,
    private readonly name: string,
    readonly images: LabelledImages,
    readonly held: number,
  ) {
    this.count = images.count;
    this.size = imageBytes(images);
    this.ring = new Uint8Array(Math.ceil((held * this.size) / 4) * 4);
  }

  begin(order: Uint32Array<ArrayBuffer>): void {
    this.session.write(`input:${this.name} order`, order);
    this.pass = { order, from: 0, to: 0 };
  }

  async ready(first: number, rows: number): Promise<void> {
    if (rows > this.held) throw new Error(`${rows} images do not fit a ring of ${this.held}`);
    // what is being read may be of an earlier pass, for the same places
    await this.ahead;
    const { pass } = this;
    if (first < pass.from || first > pass.to) pass.from = pass.to = first;
    const end = first + rows;
    await this.fill(pass, end);
    this.ahead = this.fill(pass, Math.min(end + Math.min(rows, this.held - rows), pass.order.length));
    // whoever waits for it is told; where nobody does any more, nobody needs to be
    this.ahead.catch(() => {});
  }

  /** Reads and writes what the ring lacks up to a position, in pieces that do not run over its end. */
  private async fill(pass: Pass, end: number): Promise<void> {
    while (pass.to < end) {
      const place = pass.to % this.held;
      const rows = Math.min(end - pass.to, this.held - place);
      // the places that are written next hold other images from now on
      pass.from = Math.max(pass.from, pass.to + rows - this.held);
      const [begin, stop] = [place * this.size, (place + rows) * this.size];
      await readImages(
        this.images,
        pass.order.subarray(pass.to, pass.to + rows),
        this.ring.subarray(begin, stop),
      );
      const words = this.ring.subarray(begin - (begin % 4), Math.ceil(stop / 4) * 4);
      this.session.write(`input:${this.name} images`, words, begin - (begin % 4));
      pass.to += rows;
    }
  }
}

/** The bytes, with zeros up to a multiple of four: buffers are written in words. */
function wholeWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}
