/** A picture from the camera. The browser asks for it when the button is pressed, not before. */
import { frameOf, useCamera } from '../camera';

export function Camera({ onPicture }: { onPicture: (blob: Blob) => void }) {
  const { stream, video, why, open, close } = useCamera();
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
          <button type="button" class="button small primary" onClick={shoot}>
            Take the picture
          </button>
        </div>
      )}
      {why && <p class="error">{why}</p>}
    </>
  );
}
