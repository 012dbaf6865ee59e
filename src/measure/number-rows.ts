const BLOCK_BITS = 12;
const BLOCK_ROWS = 2 ** BLOCK_BITS;

/**
 * Rows of numbers, outside of the heap: a hundred thousand objects would take many times the memory, and so would the
 * collector's room for them. It grows by blocks, since a larger copy would need the memory twice.
 */
export class NumberRows {
  #length = 0;
  readonly #blocks: Float64Array[] = [];

  constructor(private readonly columns: number) {}

  get length(): number {
    return this.#length;
  }

  /** @returns the number of the row, of which all columns are 0. */
  add(): number {
    if (this.#length % BLOCK_ROWS === 0) this.#blocks.push(new Float64Array(BLOCK_ROWS * this.columns));
    this.#length += 1;
    return this.#length - 1;
  }

  set(row: number, column: number, value: number): void {
    const block = this.#blocks[row >>> BLOCK_BITS];
    if (block !== undefined) block[(row & (BLOCK_ROWS - 1)) * this.columns + column] = value;
  }

  /** Undefined where no such row is. */
  get(row: number, column: number): number | undefined {
    return this.#blocks[row >>> BLOCK_BITS]?.[(row & (BLOCK_ROWS - 1)) * this.columns + column];
  }
}
