/** As many as the CLI asks for at a time. */
export const PAGE_SIZE = 100;
const MOST_PASSES = 3;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Of all pages together, where the server says so. */
  readonly count?: number;
}

export type ReadPage<Item> = (offset: number) => Promise<Page<Item>>;

/** One pass over the pages of a list. */
export async function* pagesOf<Item extends { readonly id: string }>(
  read: ReadPage<Item>,
): AsyncGenerator<Page<Item>> {
  const seen = new Set<string>();
  for (let offset = 0; ; offset += PAGE_SIZE) {
    const page = await read(offset);
    yield page;
    const before = seen.size;
    for (const { id } of page.items) seen.add(id);
    const isLast =
      page.count === undefined ? page.items.length < PAGE_SIZE : offset + PAGE_SIZE >= page.count;
    // A server that answers the same page whatever the offset would be asked for ever.
    if (isLast || seen.size === before) return;
  }
}

/**
 * All items of a list. Its order may shift while its pages are read, so it is read until as many distinct items as the
 * server counts are there, or a further pass finds no more.
 */
export async function allOf<Item extends { readonly id: string }>(read: ReadPage<Item>): Promise<Item[]> {
  const found = new Map<string, Item>();
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const before = found.size;
    let count = 0;
    for await (const page of pagesOf(read)) {
      for (const item of page.items) found.set(item.id, item);
      count = page.count ?? 0;
    }
    if (found.size >= count || (pass > 0 && found.size === before)) break;
  }
  return [...found.values()];
}
