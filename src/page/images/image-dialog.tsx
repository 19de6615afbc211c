/** Images in a window of their own: a page of small ones, and one of them large. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { DataSource } from '../../api';
import { config } from '../settings/config';
import '../style/images.css';
import { count } from '../format';
import { Picture } from '../picture';
import { usePictures } from './pictures';

export interface SeenImage {
  image: string | number;
  /** what is to be said of it, beside its name */
  caption?: ComponentChildren;
}

interface DialogProps {
  title: ComponentChildren;
  source: DataSource;
  images: readonly SeenImage[];
  /** the one that is shown large at first; absent: all are shown small */
  start?: number;
  onClose: () => void;
  /** stands above the images */
  children?: ComponentChildren;
}

/** Images of a page. */
const PAGE = 60;
/** Side of the large picture, pixels. */
const LARGE = 448;

export function ImageDialog({ title, source, images, start, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [large, setLarge] = useState(start);
  const [wanted, setPage] = useState(Math.floor((start ?? 0) / PAGE));
  useEffect(() => dialog.current!.showModal(), []);
  // where the keyboard goes on when all are shown again
  const left = useRef<number | undefined>(undefined);
  const last = images.length - 1;
  const pages = Math.ceil(images.length / PAGE);
  // other images may be fewer
  const page = Math.max(0, Math.min(wanted, pages - 1));
  const at = large === undefined ? undefined : Math.min(large, last);
  const show = (index: number) => {
    const to = Math.min(Math.max(index, 0), last);
    left.current = to;
    setLarge(to);
    setPage(Math.floor(to / PAGE));
  };
  // Escape goes back one step; where the large picture came first, it closes
  const back = () => (at === undefined || start !== undefined ? onClose() : setLarge(undefined));
  return (
    <dialog
      ref={dialog}
      class="images"
      aria-label="Images"
      onClose={onClose}
      onCancel={(event) => {
        event.preventDefault();
        back();
      }}
      onKeyDown={(event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (at === undefined || !step || event.target instanceof HTMLInputElement) return;
        event.preventDefault();
        show(at + step);
      }}
    >
      <header class="row">
        <h2>{title}</h2>
        <button type="button" class="button small" onClick={onClose}>
          Close
        </button>
      </header>
      {at === undefined ? (
        <>
          {children}
          <Page key={page} source={source} images={images} page={page} left={left.current} onImage={show} />
          <Pages page={page} count={pages} onPage={setPage} />
        </>
      ) : (
        <Large source={source} seen={images[at]} place={[at, images.length]} onStep={(by) => show(at + by)}>
          {start === undefined && (
            <button type="button" class="button small" onClick={() => setLarge(undefined)}>
              All images
            </button>
          )}
        </Large>
      )}
    </dialog>
  );
}

export const nameOf = (image: string | number) => (typeof image === 'number' ? `image ${image}` : image);

const isUpright = () => config.value.settings.exif === 'apply';

interface PageProps {
  source: DataSource;
  images: readonly SeenImage[];
  page: number;
  /** the image that was shown large before */
  left?: number;
  onImage: (index: number) => void;
}

/** Small pictures, which arrow keys go through. */
function Page({ source, images, page, left, onImage }: PageProps) {
  const first = page * PAGE;
  const shown = images.slice(first, first + PAGE);
  const pictures = usePictures(
    source,
    shown.map(({ image }) => image),
    { side: 96, upright: isUpright() },
  );
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    if (left !== undefined) list.current?.querySelectorAll('button')[left - first]?.focus();
  }, []);
  if (images.length === 0) return <p class="hint">None.</p>;
  return (
    <ul ref={list} class="image-grid" onKeyDown={moveFocus}>
      {shown.map(({ image }, i) => {
        const picture = pictures.get(String(image));
        return (
          <li key={image}>
            <button type="button" title={nameOf(image)} onClick={() => onImage(first + i)}>
              {picture ? <Picture thumbnail={picture} label={nameOf(image)} /> : <span>{nameOf(image)}</span>}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** Arrow keys go to the image beside, above or below. */
function moveFocus(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement;
  const buttons = [...list.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (at < 0) return;
  const top = buttons[0].offsetTop;
  const columns = Math.max(1, buttons.filter(({ offsetTop }) => offsetTop === top).length);
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  const next = step === undefined ? undefined : buttons[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function Pages({
  page,
  count: pages,
  onPage,
}: {
  page: number;
  count: number;
  onPage: (page: number) => void;
}) {
  if (pages < 2) return null;
  return (
    <nav class="row" aria-label="Pages of images">
      <button type="button" class="button small" disabled={page === 0} onClick={() => onPage(page - 1)}>
        Previous page
      </button>
      <span class="hint" role="status">
        {count(page + 1)} of {count(pages)}
      </span>
      <button
        type="button"
        class="button small"
        disabled={page === pages - 1}
        onClick={() => onPage(page + 1)}
      >
        Next page
      </button>
    </nav>
  );
}

interface LargeProps {
  source: DataSource;
  seen: SeenImage;
  /** its number and how many there are */
  place: [number, number];
  onStep: (by: number) => void;
  children: ComponentChildren;
}

function Large({ source, seen, place: [at, all], onStep, children }: LargeProps) {
  const { image, caption } = seen;
  const pictures = usePictures(source, [image], { side: LARGE, whole: true, upright: isUpright() });
  const picture = pictures.get(String(image));
  const figure = useRef<HTMLElement>(null);
  // the button that opened it is gone; before it is painted, so that no key falls into the gap
  useLayoutEffect(() => figure.current!.focus(), []);
  return (
    <figure ref={figure} class="large" tabIndex={-1}>
      <div class="large-frame">{picture && <Picture thumbnail={picture} label={nameOf(image)} />}</div>
      <figcaption aria-live="polite">
        <b dir="auto">{nameOf(image)}</b>
        {caption && <span>{caption}</span>}
      </figcaption>
      <div class="row">
        <button type="button" class="button small" disabled={at === 0} onClick={() => onStep(-1)}>
          Previous
        </button>
        <span class="hint">
          {count(at + 1)} of {count(all)}
        </span>
        <button type="button" class="button small" disabled={at === all - 1} onClick={() => onStep(1)}>
          Next
        </button>
        {children}
      </div>
    </figure>
  );
}
