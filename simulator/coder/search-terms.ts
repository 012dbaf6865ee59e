import { ApiError } from './answers.js';

export interface Term {
  /** Empty for a bare word. */
  key: string;
  value: string;
}

export interface Grammar {
  kind: 'user' | 'workspace' | 'template';
  keys: string[];
  /** Whether several bare words are allowed; they are one search text for users. */
  bareWords: 'one' | 'many';
  /** Keys that may be given more than once. */
  repeatable?: string[];
}

function invalid(kind: Grammar['kind'], field: string, detail: string): ApiError {
  return new ApiError(400, `Invalid ${kind} search query.`, '', [{ field, detail }]);
}

/** Splits at spaces outside of quotes. */
function splitWords(query: string): string[] {
  return query.match(/(?:[^\s"]+|"[^"]*")+/g) ?? [];
}

/** Splits at `:` outside of quotes, and takes the quotes away. */
function splitTerm(word: string): string[] {
  return (word.match(/(?:[^:"]+|"[^"]*")+|:/g) ?? []).map((part) => part.replaceAll('"', ''));
}

/** Reads `key:value` terms; everything is lower-cased, as the server does. */
export function parseTerms(query: string, grammar: Grammar): Term[] {
  const terms = splitWords(query.toLowerCase()).map((word): Term => {
    const parts = splitTerm(word);
    if (!parts.includes(':')) return { key: '', value: parts.join('') };
    const [key = '', colon = '', value = ''] = parts;
    if (key === ':' || colon !== ':' || value === '' || parts.length > 3) {
      throw invalid(grammar.kind, 'q', `Query element "${word}" can only contain 1 ':'`);
    }
    return { key, value };
  });
  checkKeys(terms, grammar);
  return terms;
}

function checkKeys(terms: Term[], grammar: Grammar): void {
  for (const { key } of terms) {
    if (key !== '' && !grammar.keys.includes(key)) {
      throw invalid(grammar.kind, key, `"${key}" is not a valid query param`);
    }
    const count = terms.filter((term) => term.key === key).length;
    const mayRepeat =
      grammar.repeatable?.includes(key) === true || (key === '' && grammar.bareWords === 'many');
    if (count > 1 && !mayRepeat) {
      const name = key === '' ? 'search' : key;
      throw invalid(
        grammar.kind,
        name,
        `Query param "${name}" provided more than once, found ${count} times. Only provide 1 instance of this query param.`,
      );
    }
  }
}
