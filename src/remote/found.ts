/** Files that can be fetched. */

export interface RemoteFile {
  /** as the user sees it */
  name: string;
  url: string;
  /** in bytes, where it is known before the file comes */
  size?: number;
  /** what the hub says that the file's SHA-256 is */
  sha256?: string;
}

export interface Found {
  /** the address in its one spelling */
  address: string;
  /** of the repository */
  commit?: string;
  files: RemoteFile[];
  /** what was chosen where there was a choice */
  notes: string[];
}
