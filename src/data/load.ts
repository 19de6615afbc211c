import { UserError } from '../errors';
import type { LabelledImages, LoadProgress, UserFile } from './types';

export interface LoadOptions {
  size?: number;
  limit?: number;
  seed?: number;
  classes?: string[];
  onProgress?: (p: LoadProgress) => void;
  signal?: AbortSignal;
}
export async function loadImages(_files: UserFile[], _options: LoadOptions): Promise<LabelledImages> {
  throw new UserError('Image files are not read yet.');
}
