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

/** Decoded images of one size, one after the other, in a file: too many to be held in memory. */
export interface PixelFile {
  /** of all images together */
  readonly bytes: number;
  /** where it is, as it stands after "kept in" */
  readonly place: string;
  /** Reads images, by number, one after the other into `into`. */
  read(images: ArrayLike<number>, into: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Frees its room on the disk; a second time it does nothing. */
  close(): Promise<void>;
}

/** RGB bytes of images of one size, `height * width * 3` each, row by row: in memory, or in a file where they are many. */
export type Pixels = Uint8Array<ArrayBuffer> | PixelFile;

/** An object in an image: its class, and the box around it in pixels; `right` and `bottom` are behind its last ones. */
export interface ImageObject {
  label: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What is where in the images of a set. */
export interface ImageTruth {
  /** count * height * width: 0 for what is of no class, else the pixel's class and one */
  masks: Uint8Array<ArrayBuffer>;
  /** of each image */
  objects: ImageObject[][];
}

/** A labelled image set, all images of one size. */
export interface LabelledImages<P extends Pixels = Pixels> {
  /** count * height * width * 3 bytes, RGB, row by row */
  pixels: P;
  /** one class index an image, below `classes.length` */
  labels: Uint16Array<ArrayBuffer>;
  count: number;
  height: number;
  width: number;
  /** what a network sees of each where nothing is drawn at random, in pixels; default: the whole */
  crop?: { top: number; left: number; height: number; width: number };
  /** names of the classes; the position is the label */
  classes: string[];
  /** the file that each image came from, where each has one of its own */
  paths?: string[];
  /** where it is known, what segmentation and detection are trained for */
  truth?: ImageTruth;
}

/** A set whose images are all in memory. */
export type ImagesInMemory = LabelledImages<Uint8Array<ArrayBuffer>>;

/** How far loading has come; `total` is the number of images (or files) to read. */
export interface LoadProgress {
  done: number;
  total: number;
}

/** What a source is loaded for: training alone, testing alone, or both out of one. */
export type Use = 'train' | 'test' | 'both';

/** How images get to their size. */
export interface Resizing {
  /** Pillow's filter of that name; default `bilinear` */
  interpolation?: 'bilinear' | 'bicubic';
  /** side of what is cut out, as a share of the resized image's shorter side (timm's `crop_pct`); default 1 */
  cropPct?: number;
  /**
   * timm's `crop_mode`: an image covers what the middle is cut out of (`center`, the default), is stretched to it (`squash`), or
   * fits into it with black around (`border`)
   */
  cropMode?: 'center' | 'squash' | 'border';
}

export interface LoadOptions extends Resizing {
  /** images for training keep what the resizing leaves, for crops at random; `crop` is then the middle. Default: they are cut */
  uncropped?: boolean;
  /** default `both` */
  use?: Use;
  /**
   * side in pixels: each image's shorter side is scaled to it over `cropPct`, then the middle square is cut out. 0 or absent: the
   * images' own size where all have the same (up to 224), else a multiple of 32 near the median shorter side. Or the
   * size of images that are there already, which these are to match
   */
  size?: number | { width: number; height: number; own?: boolean };
  /** at most so many images a part, evenly over the classes, picked by `seed`; 0 or absent: all */
  limit?: number;
  /** what is held out for the test where the source has no part for it, a fraction of each class; default 0.2 */
  val?: number;
  seed?: number;
  /** the classes that there are (those of the training images, for a test set): others are left out, and told */
  classes?: string[];
  /** default `name` */
  classOrder?: 'name' | 'natural' | string[];
  /** new names of classes by those that the source gives them; the empty name leaves a class out. Default: none */
  rename?: Readonly<Record<string, string>>;
  /** whether images are turned as their EXIF data asks; default `ignore`, as torchvision's loader */
  exif?: 'ignore' | 'apply';
  /** images of more bytes are kept in a file, where there is such a thing; default 256 MiB */
  memoryBytes?: number;
  onProgress?: (progress: LoadProgress) => void;
  /** stops the loading: it rejects with the signal's reason */
  signal?: AbortSignal;
}
