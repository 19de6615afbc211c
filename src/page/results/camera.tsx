/** A picture from the camera. The browser asks for it when the button is pressed, not before. */
import { useEffect, useRef, useState } from 'preact/hooks';

export function Camera({ onPicture }: { onPicture: (blob: Blob) => void }) {
  const [stream, setStream] = useState<MediaStream | undefined>(undefined);
  const [why, setWhy] = useState('');
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (stream && video.current) video.current.srcObject = stream;
    return () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [stream]);
  const open = async () => {
    setWhy('');
    try {
      setStream(await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }));
    } catch (error) {
      setWhy(whyNot(error));
    }
  };
  const shoot = () => {
    const { videoWidth: width, videoHeight: height } = video.current!;
    if (width === 0) return;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d')!.drawImage(video.current!, 0, 0);
    canvas.toBlob((blob) => blob && onPicture(blob), 'image/png');
  };
  return (
    <>
      <button type="button" class="button small" onClick={stream ? () => setStream(undefined) : open}>
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

function whyNot(error: unknown): string {
  const { name } = error as { name?: string };
  if (name === 'NotAllowedError') return 'The browser was not allowed to use the camera.';
  if (name === 'NotFoundError') return 'There is no camera.';
  return 'The camera cannot be used here: it needs HTTPS or localhost, and no other program that holds it.';
}
