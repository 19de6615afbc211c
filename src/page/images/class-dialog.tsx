/** One class: its images to look through, its name, and the way to leave it out. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ClassImages, ImageSurvey } from '../../api';
import { engine, explain } from '../engine';
import { count } from '../format';
import { readData } from '../input/sources';
import { readSettings } from '../settings/config';
import { ImageDialog } from './image-dialog';

interface ClassDialogProps {
  name: string;
  survey: ImageSurvey;
  /** a new name; the empty one leaves the class out */
  onRename: (name: string) => void;
  onClose: () => void;
}

export function ClassDialog({ name, survey, onRename, onClose }: ClassDialogProps) {
  const data = useMemo(readData, [survey]);
  const [images, setImages] = useState<ClassImages | undefined>(undefined);
  const [why, setWhy] = useState('');
  const [part, setPart] = useState<keyof ClassImages>('train');
  useEffect(() => {
    const { classes } = survey;
    engine()
      .classImages(data, readSettings(), { name, classes })
      .then(setImages, (error) => setWhy(explain(error)));
  }, [name, survey]);
  const shown = useMemo(() => (images?.[part] ?? []).map((image) => ({ image })), [images, part]);
  const source = part === 'test' ? (data.test ?? data.train) : data.train;
  const isHeld = survey.parts.some(({ from }) => from === 'held');
  return (
    <ImageDialog title={<bdi>{name}</bdi>} source={source} images={shown} onClose={onClose}>
      <Edit
        name={name}
        classes={survey.classes}
        onRename={(to) => {
          onRename(to);
          onClose();
        }}
      />
      {why && <p class="error">{why}</p>}
      {images && (
        <p class="row hint" role="status">
          {count(images.train.length)} {isHeld ? 'to train, some of them held out to test' : 'to train'}
          {images.test.length > 0 && (
            <>
              , {count(images.test.length)} to test{' '}
              <button type="button" class="link" onClick={() => setPart(part === 'test' ? 'train' : 'test')}>
                {part === 'test' ? 'Show those that train' : 'Show those that test'}
              </button>
            </>
          )}
        </p>
      )}
    </ImageDialog>
  );
}

interface EditProps {
  name: string;
  classes: readonly string[];
  onRename: (name: string) => void;
}

function Edit({ name, classes, onRename }: EditProps) {
  const [text, setText] = useState(name);
  const to = text.trim();
  const isMerged = to !== name && classes.includes(to);
  return (
    <form
      class="class-edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (to !== '' && to !== name) onRename(to);
      }}
    >
      <label>
        Name; the name of another class merges the two
        <input
          type="text"
          dir="auto"
          list="class-names"
          value={text}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <datalist id="class-names">
        {classes
          .filter((other) => other !== name)
          .slice(0, 200)
          .map((other) => (
            <option key={other} value={other} />
          ))}
      </datalist>
      <button type="submit" class="button small" disabled={to === '' || to === name}>
        {isMerged ? 'Merge' : 'Rename'}
      </button>
      <button type="button" class="button small" onClick={() => onRename('')}>
        Leave out
      </button>
    </form>
  );
}
