/** The engine's words, which name options as the command line has them, said as the form has them. */
import { networkFields } from '../../run/network-options';
import { settingFields } from '../../train/settings';

const asOption = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const labels = new Map([
  ...Object.entries({ ...settingFields, ...networkFields }).map(([name, { label }]): [string, string] => [
    asOption(name),
    `“${label}”`,
  ]),
  ['labels', 'a file of names, dropped here'],
]);

/** `(--micro-batch 16)` is `(“Micro-batch” 16)`; options that the form does not have stay as they are. */
export const inFormWords = (text: string): string =>
  text
    .replace('refocus lr looks', '“Find a learning rate” looks')
    .replace(/(?<![\w-])--([a-z][a-z-]*)/g, (option, name: string) => labels.get(name) ?? option)
    // "(stem stride, --stem-stride 1)" has the field's name already
    .replace(/\(([a-z ]+), “([^”]+)”/g, (all, name: string, label: string) =>
      name === label.toLowerCase() ? `(“${label}”` : all,
    );
