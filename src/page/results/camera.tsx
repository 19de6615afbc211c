/** The camera: a picture to be predicted, or one after the other. The browser asks for it at the click, not before. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { frameOf, useCamera } from '../camera';

interface CameraProps {
  onPicture: (blob: Blob) => void;
  /** predicts what the camera sees now; the next frame comes when it is done. Absent: not now */
  onFrame?: (blob: Blob) => Promise<void>;
  /** stands below what the camera sees, while it is predicted */
  children?: ComponentChildren;
}

/** Milliseconds between two frames at least: others want the GPU too. */
const PAUSE = 60;
/** Networks see less than this of an image's shorter side, pixels. */
const SHORTER = 256;

export function Camera({ onPicture, onFrame, children }: CameraProps) {
  const { stream, video, why, open, next, close } = useCamera();
  const [isLive, setLive] = useState(false);
  const goesOn = isLive && stream !== undefined && onFrame !== undefined;
  useEffect(() => {
    if (!goesOn) return;
    let isGone = false;
    const watch = async () => {
      while (!isGone) {
        const seen = video.current && !document.hidden;
        const blob = seen
          ? await frameOf(video.current!, { shorter: SHORTER, type: 'image/jpeg' })
          : undefined;
        if (blob && !isGone) await onFrame(blob);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    };
    watch();
    return () => {
      isGone = true;
    };
  }, [goesOn, onFrame]);
  const shoot = async () => {
    const blob = await frameOf(video.current!, { type: 'image/png' });
    if (blob) onPicture(blob);
  };
  return (
    <>
      <button
        type="button"
        class="button small"
        onClick={stream ? close : () => open({ facingMode: 'environment' })}
      >
        {stream ? 'Close the camera' : 'Camera'}
      </button>
      {stream && (
        <div class="camera">
          <video ref={video} autoplay playsInline muted aria-label="What the camera sees" />
          <div class="row">
            <button type="button" class="button small primary" onClick={shoot}>
              Take the picture
            </button>
            <button
              type="button"
              class="button small"
              aria-pressed={isLive}
              disabled={!onFrame}
              onClick={() => setLive(!isLive)}
            >
              {isLive ? 'Stop predicting' : 'Predict live'}
            </button>
            {next && (
              <button type="button" class="button small" onClick={next}>
                Other camera
              </button>
            )}
          </div>
          {goesOn && children}
        </div>
      )}
      {why && <p class="error">{why}</p>}
    </>
  );
}
