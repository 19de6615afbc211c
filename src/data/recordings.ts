/**
 * Pictures of one recording of a camera are much alike: a network that has seen one knows the others. Their names tell, as the
 * page's camera gives them: `recording-START-NUMBER.jpg`, START in milliseconds.
 */

/** The name of a recording's picture. */
export const frameName = (start: number, number: number): string =>
  `recording-${start}-${String(number).padStart(4, '0')}.jpg`;

/** One that was there twice has a number behind its name. */
const FRAME = /(?:^|\/)(recording-\d+)-(\d+)(?: \d+)?\.jpg$/;

interface Frame {
  image: number;
  recording: string;
  number: number;
}

/**
 * Of each image a text that it shares with those that train or are held out with it: equal images, and those of one recording. Of a
 * class that is one recording alone the last pictures, a fraction of them, are apart from the rest.
 * @param digests of each image, the same for equal ones
 */
export function sidesOf(
  { paths, labels }: { paths?: readonly string[]; labels: ArrayLike<number> },
  digests: readonly string[],
  fraction: number,
): string[] {
  const frames = (paths ?? []).flatMap((path, image): Frame[] => {
    const [, recording, number] = FRAME.exec(path) ?? [];
    return recording ? [{ image, recording, number: Number(number) }] : [];
  });
  if (frames.length === 0) return [...digests];
  const recordings = new Map(frames.map(({ image, recording }) => [image, recording]));
  for (const tail of tailsOf(frames, labels, fraction))
    recordings.set(tail.image, `${tail.recording}, its end`);
  // an image that is in two recordings, or a copy of another one, ties them together
  const sides = digests.map((_, i) => i);
  const sideOf = (i: number): number => {
    let side = i;
    while (sides[side] !== side) side = sides[side];
    return side;
  };
  const first = new Map<string, number>();
  const tie = (key: string, i: number) => {
    const other = first.get(key);
    if (other === undefined) first.set(key, i);
    else sides[sideOf(i)] = sideOf(other);
  };
  for (const [i, digest] of digests.entries()) {
    tie(`digest ${digest}`, i);
    const recording = recordings.get(i);
    if (recording) tie(`frame ${recording}`, i);
  }
  return digests.map((_, i) => String(sideOf(i)));
}

/** The last pictures of each recording that is all that its class has. */
function tailsOf(frames: readonly Frame[], labels: ArrayLike<number>, fraction: number): Frame[] {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  const ofRecording = new Map<string, Frame[]>();
  for (const frame of frames) {
    const key = `${labels[frame.image]} ${frame.recording}`;
    const others = ofRecording.get(key);
    if (others) others.push(frame);
    else ofRecording.set(key, [frame]);
  }
  return [...ofRecording.values()].flatMap((all) => {
    if (all.length < (counts.get(labels[all[0].image]) ?? 0)) return [];
    const wanted = Math.max(1, Math.round(all.length * fraction));
    return all.toSorted((a, b) => a.number - b.number).slice(-wanted);
  });
}
