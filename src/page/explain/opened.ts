import { signal } from '@preact/signals';

/** The part of the explanation that is to be opened and shown. */
export const explained = signal<'animation' | 'about' | 'lesson' | undefined>(undefined);
