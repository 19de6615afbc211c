/** The camera of one class: a picture by a click, several while the button is held. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { frameName } from '../../data/recordings';
import { frameOf, useCamera } from '../camera';
import { addPictures } from './own-set';

/** Pictures a second while the button is held. */
const RATE = 8;
/** Networks see less than this of an image's shorter side, pixels. */
const SHORTER = 256;

/** whether pictures are being taken */
export const isRecording = signal(false);

/** the recording that goes on, by its start, and its pictures so far: their names tell both */
let recording = { start: 0, pictures: 0 };

export function Recorder({ classId, name, onClose }: { classId: string; name: string; onClose: () => void }) {
  const { stream, video, why, open, next, isFacing, close } = useCamera();
  const timer = useRef<ReturnType<typeof setInterval>>(undefined);
  // the browser asks at the click that brought this here
  useEffect(() => {
    open({ facingMode: 'user' });
    return stop;
  }, []);
  const take = async () => {
    const blob = video.current && (await frameOf(video.current, { shorter: SHORTER, type: 'image/jpeg' }));
    if (blob) addPictures(classId, [{ path: frameName(recording.start, ++recording.pictures), blob }]);
  };
  const start = () => {
    if (timer.current !== undefined) return;
    isRecording.value = true;
    recording = { start: Date.now(), pictures: 0 };
    take();
    timer.current = setInterval(take, 1000 / RATE);
  };
  function stop() {
    clearInterval(timer.current);
    timer.current = undefined;
    isRecording.value = false;
  }
  const isKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter';
  return (
    <div class="recorder">
      {stream && (
        <>
          <video
            class={isFacing ? 'mirror' : undefined}
            ref={video}
            autoplay
            playsInline
            muted
            aria-label={`What the camera sees, for ${name}`}
          />
          <button
            type="button"
            class="button small primary hold"
            onPointerDown={start}
            onPointerUp={stop}
            onPointerLeave={stop}
            onPointerCancel={stop}
            onBlur={stop}
            onContextMenu={(event) => event.preventDefault()}
            onKeyDown={(event) => {
              if (!isKey(event)) return;
              event.preventDefault();
              if (!event.repeat) start();
            }}
            onKeyUp={(event) => {
              if (!isKey(event)) return;
              event.preventDefault();
              stop();
            }}
            // a screen reader's click comes without a pointer
            onClick={(event) => {
              if (event.detail > 0) return;
              recording = { start: Date.now(), pictures: 0 };
              take();
            }}
          >
            {isRecording.value ? 'Recording …' : 'Hold to record'}
          </button>
        </>
      )}
      {why && <p class="error">{why}</p>}
      {next && (
        <button type="button" class="button small" onClick={next}>
          Other camera
        </button>
      )}
      <button
        type="button"
        class="button small"
        onClick={() => {
          close();
          onClose();
        }}
      >
        Close the camera
      </button>
    </div>
  );
}
