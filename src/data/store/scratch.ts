/** A file for the time of a run: it is gone when it is closed, and when whoever made it ends in another way. */
export interface ScratchFile {
  /** where it is, as it stands after "kept in" */
  readonly place: string;
  /** Writes bytes at a place in the file. Throws a UserError where the disk is full. */
  write(bytes: Uint8Array<ArrayBuffer>, at: number): Promise<void>;
  /** Fills `into` with the bytes from a place in the file on. */
  read(into: Uint8Array<ArrayBuffer>, at: number): Promise<void>;
  close(): Promise<void>;
}
