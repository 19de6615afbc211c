import { readImageHeader } from '../images/decode';
import { ImageError, MAX_PIXELS } from '../images/format';
import { type Preparation, type PreparedImage, prepareImage } from './prepare';
import type { Port } from './protocol';

/** Images that a worker is worth: it takes about as long to start as to decode a few. */
const IMAGES_A_WORKER = 16;
/** Images that are read or decoded at a time, for each worker: none waits for its bytes. */
const AHEAD = 3;
/** More cores than these share the memory's bandwidth. */
const MOST_WORKERS = 16;

/** Pixels that are decoded at a time, at ten bytes or so: two of the largest images, or one alone. */
const MOST_PIXELS = 2 * MAX_PIXELS;

/** Decodes images of a set. */
export interface Decoder {
  /** images to hand to it at a time: some are read while others are decoded */
  readonly atOnce: number;
  /** Decodes, resizes and crops an image, whose bytes are gone thereafter. Throws an ImageError where the file is no good. */
  prepare(bytes: Uint8Array<ArrayBuffer>, preparation: Preparation): Promise<PreparedImage>;
  close(): void;
}

/** A decoder for so many images: on all cores where they are many, else on this thread. */
export async function openDecoder(images: number): Promise<Decoder> {
  // `SSR` is a constant of the build: a page does not carry Node's part
  const { cores, startWorker } = import.meta.env.SSR ? await import('./node') : await import('./browser');
  const workers = Math.min(cores(), MOST_WORKERS, Math.floor(images / IMAGES_A_WORKER));
  return workers > 1
    ? new DecodePool(workers, startWorker)
    : { atOnce: 1, prepare: prepareImage, close() {} };
}

/**
 * Workers that decode one image at a time each. One that an image brings down is replaced, and that image is no good. Where
 * workers cannot be started, images are decoded on this thread.
 */
export class DecodePool implements Decoder {
  private readonly idle: Port[] = [];
  private readonly all = new Set<Port>();
  private readonly waiting: (() => void)[] = [];
  /** pixels that are being decoded */
  private decoding = 0;
  private isAlone = false;
  private isClosed = false;

  constructor(
    private readonly workers: number,
    private readonly start: () => Port,
    private readonly mostPixels = MOST_PIXELS,
  ) {}

  get atOnce(): number {
    return AHEAD * this.workers;
  }

  async prepare(bytes: Uint8Array<ArrayBuffer>, preparation: Preparation): Promise<PreparedImage> {
    const { width, height } = readImageHeader(bytes);
    const worker = await this.take(width * height);
    if (!worker) return prepareImage(bytes, preparation);
    try {
      worker.post({ bytes, preparation });
      const answer = await worker.next().catch(() => {
        this.drop(worker);
        throw new ImageError('decoding it failed for want of memory or by a fault of the decoder');
      });
      if (this.all.has(worker)) this.idle.push(worker);
      if (typeof answer === 'object' && 'image' in answer) return answer.image;
      if (typeof answer === 'object' && 'reason' in answer) throw new ImageError(answer.reason);
      throw new Error(typeof answer === 'object' ? answer.fault : `a decoder said ${answer}`);
    } finally {
      this.decoding -= width * height;
      this.wake();
    }
  }

  /** A worker for an image of so many pixels; undefined where there are none to be had. */
  private async take(pixels: number): Promise<Port | undefined> {
    for (;;) {
      if (this.isClosed) throw new Error('the decoder is closed');
      if (this.isAlone) return undefined;
      const hasRoom = this.decoding === 0 || this.decoding + pixels <= this.mostPixels;
      if (hasRoom && (this.idle.length > 0 || this.all.size < this.workers)) {
        this.decoding += pixels;
        return this.idle.pop() ?? this.startOne();
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private async startOne(): Promise<Port | undefined> {
    let worker: Port | undefined;
    try {
      worker = this.start();
      this.all.add(worker);
      await worker.next();
      return worker;
    } catch {
      if (worker) this.drop(worker);
      this.isAlone = true;
      this.wake();
      return undefined;
    }
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }

  private drop(worker: Port): void {
    this.all.delete(worker);
    worker.terminate();
  }

  close(): void {
    this.isClosed = true;
    for (const worker of this.all) worker.terminate();
    this.all.clear();
  }
}
