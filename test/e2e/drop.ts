/** Images as a user drops them: folders by class. */
import type { Page } from 'playwright-core';

/** Drops a folder on the page: one of each class, with so many images. */
export const dropFolders = (page: Page, classes: Record<string, number>): Promise<void> =>
  page.evaluate((folders) => {
    const files = Object.entries(folders).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, i) => ({
        path: `/set/${name}/${i}.png`,
        file: new File(['x'], `${i}.png`),
      })),
    );
    const entries = files.map(({ path, file }) => ({
      isFile: true,
      fullPath: path,
      file: (resolve: (one: File) => void) => resolve(file),
    }));
    const dataTransfer = {
      types: ['Files'],
      items: entries.map((entry) => ({ kind: 'file', webkitGetAsEntry: () => entry })),
    };
    document.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer }));
  }, classes);
