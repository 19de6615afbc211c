/** What the pool and its workers say to each other: one image at a time. */
import { FormatError } from '../../io/format-error';
import { ImageError } from '../images/format';
import { type Preparation, type PreparedImage, prepareImage } from './prepare';

export interface Request {
  bytes: Uint8Array<ArrayBuffer>;
  preparation: Preparation;
}

/** `ready` comes first, once; `reason`: why the file is no good; `fault`: what else went wrong. */
export type Answer = 'ready' | { image: PreparedImage } | { reason: string } | { fault: string };

/** A worker's side. */
export async function answerTo({ bytes, preparation }: Request): Promise<Answer> {
  try {
    return { image: await prepareImage(bytes, preparation) };
  } catch (error) {
    const { message } = error as Error;
    return error instanceof ImageError || error instanceof FormatError
      ? { reason: message }
      : { fault: message };
  }
}

/** What of an answer moves to the other thread, and is not copied. */
export const movedWith = (answer: Answer): ArrayBuffer[] =>
  typeof answer === 'object' && 'image' in answer ? [answer.image.pixels.buffer] : [];

/** A worker as the pool sees it. */
export interface Port {
  post(request: Request): void;
  /** The next answer. Rejects once the worker has failed. */
  next(): Promise<Answer>;
  terminate(): void;
}

/** Answers of a worker to whoever waits for the next one. */
export class Answers {
  private waiting?: { resolve(answer: Answer): void; reject(error: Error): void };
  private failure?: Error;

  next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.failure) reject(this.failure);
      else this.waiting = { resolve, reject };
    });
  }

  deliver(answer: Answer): void {
    this.waiting?.resolve(answer);
  }

  fail(error: Error): void {
    this.failure = error;
    this.waiting?.reject(error);
  }
}
