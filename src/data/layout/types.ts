import type { SourceFile } from '../files/tree';
import type { SkippedFile } from '../types';
import type { Part } from './names';

/** Images of a part of a set, or of all of it, each with the name of its class; none is decoded yet. */
export interface PartFiles {
  /** absent where the set has no parts */
  part?: Part;
  files: SourceFile[];
  /** the class of each file */
  labels: string[];
  /** class folders without an image */
  empty: string[];
}

/** What a source's folders and label files say. */
export interface Layout {
  /** what messages call the source */
  name: string;
  /** at most one for each part */
  parts: PartFiles[];
  /** images that belong to no class or part */
  skipped: SkippedFile[];
  /** sentences on how the source was understood */
  notes: string[];
}
