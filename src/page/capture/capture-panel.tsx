/** Classes of the user's own making, each with pictures from the camera, from files, or dropped on it. */
import { effect, signal, untracked } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../style/capture.css';
import type { UserFile } from '../../api';
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
      <State />
    </div>
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
            ? `Training uses these ${images}. Those of one recording are much alike, and some of each class are held out to test: what counts is how new pictures do (step 3, try your own image).`
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
