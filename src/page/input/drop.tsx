/** A place to drop files on, or to pick them from. What is dropped the page takes, wherever it falls (see take.ts). */
import type { UserFile } from '../../api';
import { pickedFiles } from '../files';
import { bytes, count } from '../format';

interface DropProps {
  id: string;
  label: string;
  hint: string;
  files: readonly UserFile[];
  /** files that were picked here are for this place; none: it is emptied */
  onFiles: (files: UserFile[]) => void;
  accept?: string;
}

export function Drop({ id, label, hint, files, onFiles, accept }: DropProps) {
  const input = (folder: boolean) => (
    <input
      ref={(element) => {
        if (element) element.webkitdirectory = folder;
      }}
      id={folder ? `${id}-folder` : id}
      class="hidden-input"
      type="file"
      accept={folder ? undefined : accept}
      multiple
      aria-describedby={`${id}-hint`}
      onChange={(event) => {
        const chosen = pickedFiles(event.currentTarget.files);
        if (chosen.length > 0) onFiles(chosen);
        // The same file again must count as a change.
        event.currentTarget.value = '';
      }}
    />
  );
  return (
    <div class="drop" data-place={id}>
      <p class="drop-label">{label}</p>
      <p class={files.length > 0 ? 'drop-chosen' : 'hint'} id={`${id}-hint`}>
        {files.length > 0 ? describe(files) : hint}
      </p>
      <div class="row">
        {input(false)}
        <label class="button small" for={id}>
          Choose files
          <span class="sr-only">: {label}</span>
        </label>
        {input(true)}
        <label class="button small" for={`${id}-folder`}>
          Choose folder
          <span class="sr-only">: {label}</span>
        </label>
        {files.length > 0 && (
          <button type="button" class="link" onClick={() => onFiles([])}>
            Remove<span class="sr-only">: {label}</span>
          </button>
        )}
      </div>
    </div>
  );
}

function describe(files: readonly UserFile[]): string {
  const size = bytes(files.reduce((sum, { blob }) => sum + blob.size, 0));
  return files.length === 1 ? `${files[0].path}, ${size}` : `${count(files.length)} files, ${size}`;
}
