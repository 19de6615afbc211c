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
