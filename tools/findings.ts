/**
 * Makes docs/findings.md a page beside the app: `npm run findings`. Its pictures lie in public/findings, where both have them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { marked } from 'marked';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const source = join(root, 'docs', 'findings.md');
export const target = join(root, 'public', 'findings.html');

/** @param text Markdown of ours @returns a document that asks for its style sheet and pictures alone */
export function findingsPage(text: string): string {
  const body = (marked.parse(text, { async: false }) as string)
    .replaceAll('../public/findings/', 'findings/')
    .replace(/<(h[23])>(.*?)<\/\1>/g, (_, tag, inner) => `<${tag} id="${anchorOf(inner)}">${inner}</${tag}>`)
    // other documents are no part of the site
    .replace(/<a href="(?!https?:|#)[^"]*">([\s\S]*?)<\/a>/g, '$1')
    .replace(/<table>[\s\S]*?<\/table>/g, (table) => scrolled(table))
    // a phone shows them larger than it is wide, so that their text can be read
    .replace(/<p>(<img [^>]*>)<\/p>/g, (_, picture) => scrolled(picture, ' picture'));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Findings · Refocus</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="findings.css">
</head>
<body>
<p><a href="./">Refocus</a></p>
<main>
${body}</main>
</body>
</html>
`;
}

/** What links within the document call a heading, as GitHub does: words in small letters, a hyphen for each space. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

const scrolled = (inner: string, kind = ''): string =>
  `<div class="scroll${kind}" tabindex="0">${inner}</div>`;

export async function main(): Promise<void> {
  await writeFile(target, findingsPage(await readFile(source, 'utf8')));
}
