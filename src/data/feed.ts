import type { LabelledImages } from './types';

/** Where a feed writes: a session. Keys are `input:name`. */
export interface InputWriter {
  write(key: string, data: ArrayBufferView<ArrayBuffer>): void;
}

/** How the images of one set get to the GPU, and in what order. A pass goes over them once, batch by batch. */
export interface Feed {
  /** images of the set */
  readonly count: number;
  /** Begins a pass over the images in that order. */
  begin(order: Uint32Array<ArrayBuffer>): void;
  /** Has the next run find the `rows` images from position `first` of the pass on. */
  ready(first: number, rows: number): Promise<void>;
}

/** All images lie on the GPU from the start; a pass writes its order alone. */
export class ResidentFeed implements Feed {
  readonly count: number;

  /** @param name the prefix of the program's inputs: `name images`, `name labels` and `name order` */
  constructor(
    private readonly session: InputWriter,
    private readonly name: string,
    images: LabelledImages,
  ) {
    this.count = images.count;
    session.write(`input:${name} images`, wholeWords(images.pixels));
    session.write(`input:${name} labels`, Uint32Array.from(images.labels));
  }

  begin(order: Uint32Array<ArrayBuffer>): void {
    this.session.write(`input:${this.name} order`, order);
  }

  async ready(): Promise<void> {}
}

/** The bytes, with zeros up to a multiple of four: buffers are written in words. */
function wholeWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}
