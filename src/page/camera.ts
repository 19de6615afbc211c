/** The camera: a stream that a click asks for, and pictures out of it. */
import { useEffect, useRef, useState } from 'preact/hooks';

export interface CameraView {
  stream?: MediaStream;
  /** where the stream is to be seen */
  video: { current: HTMLVideoElement | null };
  /** why there is none */
  why: string;
  open: (wanted: MediaTrackConstraints) => Promise<void>;
  /** takes the next camera of several; absent where there is one */
  next?: () => Promise<void>;
  /** whether it looks at its user, who expects a mirror */
  isFacing: boolean;
  close: () => void;
}

/** A camera that is closed with the part of the page that it is in. */
export function useCamera(): CameraView {
  const [stream, setStream] = useState<MediaStream | undefined>(undefined);
  const [why, setWhy] = useState('');
  const [cameras, setCameras] = useState<readonly string[]>([]);
  const video = useRef<HTMLVideoElement>(null);
  const isGone = useRef(false);
  useEffect(() => {
    if (stream && video.current) video.current.srcObject = stream;
    return () => stop(stream);
  }, [stream]);
  useEffect(
    () => () => {
      isGone.current = true;
    },
    [],
  );
  const open = async (wanted: MediaTrackConstraints) => {
    setWhy('');
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: wanted });
      // the user may have gone elsewhere while the browser asked
      if (isGone.current) return stop(opened);
      setStream(opened);
      // told in full only once one may be used
      const devices = await navigator.mediaDevices.enumerateDevices();
      setCameras(devices.filter(({ kind }) => kind === 'videoinput').map(({ deviceId }) => deviceId));
    } catch (error) {
      setWhy(whyNot(error));
    }
  };
  const used = stream?.getVideoTracks()[0]?.getSettings();
  const next = async () => {
    const at = cameras.indexOf(used?.deviceId ?? '');
    // phones give out one camera at a time
    stop(stream);
    await open({ deviceId: { exact: cameras[(at + 1) % cameras.length] } });
  };
  return {
    stream,
    video,
    why,
    open,
    next: cameras.length > 1 ? next : undefined,
    isFacing: used?.facingMode !== 'environment',
    close: () => setStream(undefined),
  };
}

function stop(stream?: MediaStream): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * What the camera sees now; undefined as long as it shows nothing.
 * @param shorter side in pixels that it is scaled down to; absent: as it comes
 */
export async function frameOf(
  video: HTMLVideoElement,
  { shorter, type }: { shorter?: number; type: 'image/png' | 'image/jpeg' },
): Promise<Blob | undefined> {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0) return undefined;
  const scale = Math.min(1, (shorter ?? Number.POSITIVE_INFINITY) / Math.min(videoWidth, videoHeight));
  const [width, height] = [videoWidth, videoHeight].map((side) => Math.round(side * scale));
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d')!.drawImage(video, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.92));
  return blob ?? undefined;
}

function whyNot(error: unknown): string {
  const { name } = error as { name?: string };
  if (name === 'NotAllowedError')
    return 'The browser was not allowed to use the camera: allow it beside the address, and try again.';
  if (name === 'NotFoundError') return 'There is no camera.';
  return 'The camera cannot be used here: it needs HTTPS or localhost, and no other program that holds it.';
}
