/** Classes of the user's own making, each with pictures from the camera, from files, or dropped on it. */
import { effect, signal, untracked } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../style/capture.css';
import type { UserFile } from '../../api';
import { explain } from '../engine';
import { pickedFiles } from '../files';
import { count } from '../format';
import { trainFiles } from '../input/sources';
import { isBusy } from '../run/state';
import { ClassCard, filmed } from './class-card';
import {
  addClass,
  canUndo,
  isTrainable,
  loadOwnSet,
  notKept,
  ownClasses,
  ownFiles,
  pictureCount,
  removeAll,
  undoRemoval,
} from './own-set';
import { isRecording } from './recorder';
import { saveOwnSet } from './save';

/** the set as it was last given to the training */
const given = signal<readonly UserFile[] | undefined>(undefined);
const isUsed = () => given.value !== undefined && trainFiles.value === given.value;

function train(): void {
  const files = isTrainable.value ? ownFiles() : [];
  given.value = files;
  trainFiles.value = files;
}

/** The training images follow the set, unless they are others that the user chose. */
function followSet(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    void ownClasses.value;
    clearTimeout(timer);
    if (isRecording.value) return;
    timer = setTimeout(() => untracked(follow), SETTLED);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** Milliseconds without a change, after which images are looked into anew. */
const SETTLED = 400;

function follow(): void {
  if (isBusy.value) return;
  if (isUsed() || (trainFiles.value.length === 0 && isTrainable.value)) train();
}

export function CapturePanel() {
  useEffect(() => {
    let stop = () => {};
    let isGone = false;
    loadOwnSet().then(() => {
      if (!isGone) stop = followSet();
    });
    return () => {
      isGone = true;
      filmed.value = undefined;
      stop();
    };
  }, []);
  const classes = ownClasses.value;
  return (
    <div class="capture">
      <ul class="own-classes">
        {classes.map((one) => (
          <ClassCard key={one.id} one={one} others={classes.filter((other) => other !== one)} />
        ))}
      </ul>
      <p class="row">
        <button type="button" class="button small" onClick={addClass}>
          Add a class
        </button>
        <OpenSaved />
        {pictureCount.value > 0 && (
          <>
            <button type="button" class="button small" onClick={saveOwnSet}>
              Save as a zip
            </button>
            <button type="button" class="link" onClick={removeAll}>
              Empty the set
            </button>
          </>
        )}
        {canUndo.value && (
          <button type="button" class="link" onClick={undoRemoval}>
            Undo
          </button>
        )}
      </p>
      {opened.value && <p class={opened.value.isWrong ? 'error' : 'hint'}>{opened.value.words}</p>}
      <State />
    </div>
  );
}

/** what became of the set that was opened last */
const opened = signal<{ words: string; isWrong: boolean } | undefined>(undefined);

function OpenSaved() {
  const open = async ([file]: UserFile[]) => {
    opened.value = undefined;
    if (!file) return;
    try {
      const { openOwnSet } = await import('./open');
      opened.value = { words: await openOwnSet(file), isWrong: false };
    } catch (error) {
      opened.value = { words: explain(error), isWrong: true };
    }
  };
  return (
    <>
      <input
        id="own-saved"
        class="hidden-input"
        type="file"
        accept=".zip,.tar,.tgz,.gz"
        onChange={(event) => {
          open(pickedFiles(event.currentTarget.files));
          event.currentTarget.value = '';
        }}
      />
      <label class="button small" for="own-saved">
        Open a saved set
      </label>
    </>
  );
}

/** What becomes of the set. */
function State() {
  const images = `${count(pictureCount.value)} pictures`;
  return (
    <>
      <p class="hint" role="status">
        {!isTrainable.value
          ? 'Two classes with pictures are enough to begin; a dozen or more of each do better.'
          : isUsed()
            ? `Training uses these ${images}. Some of each class are held out to test, whole recordings where there are several: their pictures are much alike. What counts is how new pictures do (step 3, try your own image).`
            : `Training uses other images than these ${images}. `}
        {isTrainable.value && !isUsed() && (
          <button type="button" class="link" onClick={train}>
            Use these
          </button>
        )}
      </p>
      {notKept.value !== undefined && (
        <p class="error" role="alert">
          This browser does not keep the pictures ({notKept.value}): save them as a zip before the page
          closes.
        </p>
      )}
    </>
  );
}
