/** The panel that explains: the animation, what is true of the method, and the form of a lesson. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { lazy } from '../lazy';
import { isTaught } from '../lesson/card';
import { bringToTop } from '../place';
import { explained } from './opened';

const Animation = lazy(async () => (await import('./animation')).Animation);
const About = lazy(async () => (await import('./about')).About);
const LessonForm = lazy(async () => (await import('../lesson/form')).LessonForm);

export function ExplainPanel() {
  return (
    <section class="panel explain" aria-labelledby="explain-title" id="explain" tabIndex={-1}>
      <h2 id="explain-title">How it works</h2>
      <Part name="animation" title="See a kernel being refocused">
        <Animation />
      </Part>
      <Part name="about" title="What is RefConv, and what is true of it">
        <About />
      </Part>
      {!isTaught.value && (
        <Part name="lesson" title="For teachers: make a lesson out of this page">
          <LessonForm />
        </Part>
      )}
    </section>
  );
}

interface PartProps {
  name: NonNullable<typeof explained.value>;
  title: string;
  children: ComponentChildren;
}

/** A part whose script comes when it is opened; it is opened from elsewhere, too. */
function Part({ name, title, children }: PartProps) {
  const [isOpen, setOpen] = useState(false);
  const details = useRef<HTMLDetailsElement>(null);
  const isAsked = explained.value === name;
  useEffect(() => {
    if (!isAsked) return;
    explained.value = undefined;
    setOpen(true);
    bringToTop(details.current!);
    details.current!.querySelector('summary')!.focus({ preventScroll: true });
  }, [isAsked]);
  return (
    <details ref={details} open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <h3>{title}</h3>
      </summary>
      {isOpen && children}
    </details>
  );
}
