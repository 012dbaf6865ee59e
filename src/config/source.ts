import { isMap, isNode, isPair, LineCounter, parseDocument, type Document } from 'yaml';
import { ConfigurationError, messageOf, type Mistake, type SourceLocation } from '../errors.js';
import type { Path } from './entries.js';

const ALIAS_LIMIT = 50;
const SIZE_LIMIT = 1_048_576;

/** A YAML file that was read: its value, and where in the text each part of it stands. */
export class ConfigSource {
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  /** @throws ConfigurationError with a location for each mistake in the YAML itself. */
  constructor(
    readonly file: string,
    text: string,
  ) {
    if (text.length > SIZE_LIMIT) {
      throw new ConfigurationError([{ message: `${file} is larger than 1 MiB; that is no config file` }]);
    }
    this.#document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, prettyErrors: false });
    if (this.#document.errors.length > 0) {
      throw new ConfigurationError(
        this.#document.errors.map((error): Mistake => ({
          message: `the YAML cannot be read: ${error.message}`,
          location: this.#at(error.pos[0]),
        })),
      );
    }
    this.value = this.#plainValue();
  }

  #plainValue(): unknown {
    try {
      const value: unknown = this.#document.toJS({ maxAliasCount: ALIAS_LIMIT });
      return value;
    } catch (thrown) {
      if (!messageOf(thrown).includes('Excessive alias count')) {
        throw new ConfigurationError([
          { message: `the YAML cannot be read: ${messageOf(thrown)}`, location: this.#at(0) },
        ]);
      }
      throw new ConfigurationError([
        {
          message: `too many aliases: the file would grow without bound; write the values out (at most ${ALIAS_LIMIT} aliases are followed)`,
          location: this.#at(0),
        },
      ]);
    }
  }

  /** Where the value at a path stands, or the nearest part of the file around it. */
  locationOf(path: Path, offsetInText = 0): SourceLocation {
    for (let length = path.length; length > 0; length -= 1) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) {
        const isQuoted = 'type' in node && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
        const inner = length === path.length ? offsetInText + (offsetInText > 0 && isQuoted ? 1 : 0) : 0;
        return this.#at(node.range[0] + inner);
      }
    }
    return this.#at(0);
  }

  /** Where a key stands. */
  locationOfKey(path: Path, key: string): SourceLocation {
    const parent: unknown = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    if (isMap(parent)) {
      for (const pair of parent.items) {
        if (isPair(pair) && isNode(pair.key) && String(pair.key) === key && pair.key.range) {
          return this.#at(pair.key.range[0]);
        }
      }
    }
    return this.locationOf(path);
  }

  #at(offset: number): SourceLocation {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}
