import { readFileSync } from 'node:fs';
import type { UserFile } from '../../../src/data/types';

/** A fixture of test/fixtures/images. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../fixtures/images/${name}`, import.meta.url)));
}

export function userFile(path: string, bytes: Uint8Array<ArrayBuffer>): UserFile {
  return { path, blob: new Blob([bytes]) };
}

export function userFiles(files: Record<string, Uint8Array<ArrayBuffer>>): UserFile[] {
  return Object.entries(files).map(([path, bytes]) => userFile(path, bytes));
}
