/** One class of the user's own set: its name, its pictures, and the ways to more of them. */
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { UserFile } from '../../api';
import { droppedFiles, pickedFiles } from '../files';
import { count } from '../format';
import { classNameFault } from './class-name';
import { addPictures, removeClass, removePicture, renameClass } from './own-set';
import { Recorder } from './recorder';
import type { OwnClass } from './store';

/** the class whose camera is open */
export const filmed = signal<string | undefined>(undefined);

export function ClassCard({ one, others }: { one: OwnClass; others: readonly OwnClass[] }) {
  const { id, name, pictures } = one;
  const [why, setWhy] = useState('');
  const [isOver, setOver] = useState(false);
  const put = (files: UserFile[]) => {
    const left = files.length - addPictures(id, files);
    setWhy(
      left > 0 ? `${left === 1 ? '1 file is' : `${count(left)} files are`} no picture and left out.` : '',
    );
  };
  return (
    <li
      class={isOver ? 'own-class over' : 'own-class'}
      aria-label={name}
      onDragOver={() => setOver(true)}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        droppedFiles(event.dataTransfer).then(put, (error: Error) => setWhy(error.message));
      }}
    >
      <div class="row">
        <NameField one={one} others={others.map((other) => other.name)} />
        <span class="hint number-of">{count(pictures.length)}</span>
      </div>
      <div class="row">
        {filmed.value !== id && (
          <button
            type="button"
            class="button small"
            onClick={() => {
              filmed.value = id;
            }}
          >
            Camera<span class="sr-only"> for {name}</span>
          </button>
        )}
        <input
          id={`own-${id}`}
          class="hidden-input"
          type="file"
          accept="image/*"
          multiple
          onChange={(event) => {
            put(pickedFiles(event.currentTarget.files));
            event.currentTarget.value = '';
          }}
        />
        <label class="button small" for={`own-${id}`}>
          Choose or drop pictures<span class="sr-only"> for {name}</span>
        </label>
        <button type="button" class="link" onClick={() => removeClass(id)}>
          Remove<span class="sr-only"> {name}</span>
        </button>
      </div>
      {filmed.value === id && (
        <Recorder
          classId={id}
          name={name}
          onClose={() => {
            filmed.value = undefined;
          }}
        />
      )}
      {why && <p class="error">{why}</p>}
      <Pictures one={one} />
    </li>
  );
}

/** A name that cannot be stays typed, and says why. */
function NameField({ one, others }: { one: OwnClass; others: readonly string[] }) {
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const text = typed ?? one.name;
  const fault = classNameFault(text, others);
  return (
    <span class="own-name">
      <input
        type="text"
        dir="auto"
        aria-label="Name of the class"
        aria-invalid={fault !== undefined}
        autocomplete="off"
        value={text}
        onInput={(event) => {
          const value = event.currentTarget.value;
          setTyped(value);
          if (!classNameFault(value, others)) renameClass(one.id, value);
        }}
        onBlur={() => !fault && setTyped(undefined)}
      />
      {fault && <span class="error">{fault}</span>}
    </span>
  );
}

/** The latest pictures; more by a click. */
function Pictures({ one }: { one: OwnClass }) {
  const [most, setMost] = useState(SHOWN);
  const { id, pictures } = one;
  if (pictures.length === 0) return null;
  const shown = pictures.slice(-most).reverse();
  return (
    <ul class="own-pictures">
      {shown.map((picture) => (
        <li key={picture.id}>
          <img src={urlOf(picture.blob)} alt={picture.name} loading="lazy" decoding="async" />
          <button type="button" onClick={() => removePicture(id, picture.id)}>
            <span aria-hidden="true">×</span>
            <span class="sr-only">Remove {picture.name}</span>
          </button>
        </li>
      ))}
      {pictures.length > most && (
        <li>
          <button type="button" class="link" onClick={() => setMost(most + 5 * SHOWN)}>
            {count(pictures.length - most)} more
          </button>
        </li>
      )}
    </ul>
  );
}

const SHOWN = 20;

const urls = new WeakMap<Blob, string>();

function urlOf(blob: Blob): string {
  const url = urls.get(blob) ?? URL.createObjectURL(blob);
  urls.set(blob, url);
  return url;
}
