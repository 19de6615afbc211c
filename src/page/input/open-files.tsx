/** A picker for whatever the page recognises, where nothing can be dropped: on a phone, or by keyboard. */
import { pickedFiles } from '../files';
import { take } from './take';

export function OpenFiles() {
  return (
    <div class="open-files">
      <input
        id="any-files"
        class="hidden-input"
        type="file"
        multiple
        aria-describedby="any-files-hint"
        onChange={(event) => {
          take(pickedFiles(event.currentTarget.files));
          // the same file again must count as a change
          event.currentTarget.value = '';
        }}
      />
      <label class="button small" for="any-files">
        Open files
      </label>
      <p class="hint" id="any-files-hint">
        Weights, images, class names, settings or a kept run (run.zip): each is recognised, as when it is
        dropped anywhere on the page.
      </p>
    </div>
  );
}
