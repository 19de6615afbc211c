/** A place to drop files on, or to pick them from. */
import { useState } from 'preact/hooks';
import type { UserFile } from '../../api';
import { droppedFiles, pickedFiles } from '../files';
import { bytes, count } from '../format';

interface DropProps {
  id: string;
  label: string;
  hint: string;
  files: readonly UserFile[];
  onFiles: (files: UserFile[]) => void;
  accept?: string;
  /** one file only; otherwise several, or a folder */
  single?: boolean;
}

export function Drop({ id, label, hint, files, onFiles, accept, single = false }: DropProps) {
  const [isOver, setOver] = useState(false);
  const take = (chosen: UserFile[]) => {
    if (chosen.length > 0) onFiles(single ? chosen.slice(0, 1) : chosen);
  };
  const input = (folder: boolean) => (
    <input
      ref={(element) => {
        if (element) element.webkitdirectory = folder;
      }}
      id={folder ? `${id}-folder` : id}
      class="hidden-input"
      type="file"
      accept={folder ? undefined : accept}
      multiple={!single}
      aria-describedby={`${id}-hint`}
      onChange={(event) => {
        take(pickedFiles(event.currentTarget.files));
        // The same file again must count as a change.
        event.currentTarget.value = '';
      }}
    />
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut for the two inputs inside
    <div
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const isDisabled = event.currentTarget.closest('fieldset:disabled') !== null;
        if (event.dataTransfer && !isDisabled) droppedFiles(event.dataTransfer).then(take);
      }}
    >
      <p class="drop-label">{label}</p>
      <p class={files.length > 0 ? 'drop-chosen' : 'hint'} id={`${id}-hint`}>
        {files.length > 0 ? describe(files) : hint}
      </p>
      <div class="row">
        {input(false)}
        <label class="button small" for={id}>
          Choose {single ? 'file' : 'files'}
          <span class="sr-only">: {label}</span>
        </label>
        {!single && (
          <>
            {input(true)}
            <label class="button small" for={`${id}-folder`}>
              Choose folder
              <span class="sr-only">: {label}</span>
            </label>
          </>
        )}
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
