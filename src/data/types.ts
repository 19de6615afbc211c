/** One file of the user's: `path` keeps the folders (`train/cat/1.jpg`), `blob` is read lazily. */
export interface UserFile {
  path: string;
  blob: Blob;
}

/** A file that was left out of an image set, and why. */
export interface SkippedFile {
  path: string;
  reason: string;
}

/** A labelled image set in memory, all images of one size. */
export interface LabelledImages {
  /** count * height * width * 3 bytes, RGB, row by row */
  pixels: Uint8Array<ArrayBuffer>;
  /** one class index an image, below `classes.length` */
  labels: Uint16Array<ArrayBuffer>;
  count: number;
  height: number;
  width: number;
  /** names of the classes; the position is the label */
  classes: string[];
  /** broken or unsupported images, at most one entry each */
  skipped: SkippedFile[];
}

/** How far loading has come; `total` is the number of images (or files) to read. */
export interface LoadProgress {
  done: number;
  total: number;
}

export interface LoadOptions {
  /**
   * side in pixels: each image's shorter side is scaled to it, then the middle square is cut out. 0 or absent: the
   * images' own size where all have the same (up to 224), else a multiple of 32 near the median shorter side
   */
  size?: number;
  /** at most so many images, evenly over the classes, picked by `seed`; 0 or absent: all */
  limit?: number;
  seed?: number;
  /** the classes that there must be (those of the training images, for a test set) */
  classes?: string[];
  /** which part is wanted where CIFAR-10's or MNIST's files are all there; default `train` */
  split?: 'train' | 'test';
  onProgress?: (progress: LoadProgress) => void;
  /** stops the loading: it rejects with the signal's reason */
  signal?: AbortSignal;
}
