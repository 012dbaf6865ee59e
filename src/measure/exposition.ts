/**
 * The text format in which programs expose metrics to Prometheus (version 0.0.4): a line a sample, with labels, value and
 * an optional timestamp; `# HELP` and `# TYPE` lines before a family.
 */

export interface Sample {
  /** As it stands, also with `_bucket`, `_sum` and `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** May be infinite or NaN. */
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
}

export interface Exposition {
  readonly samples: readonly Sample[];
  /** By the family's name, which samples of histograms and summaries continue with a suffix. */
  readonly types: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
}

/** A page that is no exposition. */
export class ExpositionError extends Error {}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|(?=\}))/;
const COMMENT = /^#[ \t]+(HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t](.*))?$/;
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
/** As Go's strconv.ParseFloat reads them, without its underscores. */
const NUMBER = /^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)$/;
const LONGEST_SHOWN = 80;

/**
 * Reads a page.
 * @throws ExpositionError for anything that Prometheus would refuse as well, at its line.
 */
export function parseExposition(text: string): Exposition {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  if (text !== '' && !text.endsWith('\n')) throw new ExpositionError('the page ends in the middle of a line');
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const content = line.replace(/^[ \t]+/, '');
    if (content === '') return;
    if (content.startsWith('#')) readComment(content, types, help, index + 1);
    else samples.push(readSample(content, index + 1));
  });
  return { samples, types, help };
}

function readComment(
  line: string,
  types: Map<string, string>,
  help: Map<string, string>,
  place: number,
): void {
  const match = COMMENT.exec(line);
  if (match === null) return;
  const [, kind, name = '', rest = ''] = match;
  if (kind === 'HELP') {
    help.set(name, unescapeHelp(rest));
    return;
  }
  const type = rest.trim();
  if (!TYPES.has(type)) throw refusal(place, line, `"${type}" is no type of a metric`);
  if (types.has(name)) throw refusal(place, line, `the type of ${name} is given twice`);
  types.set(name, type);
}

function readSample(line: string, place: number): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw refusal(place, line, 'the name of a metric was expected');
  const { labels, rest } = readLabels(line.slice(name.length).replace(/^[ \t]+/, ''), place, line);
  const [value, timestamp, ...more] = rest.split(/[ \t]+/).filter((part) => part !== '');
  if (value === undefined || more.length > 0) throw refusal(place, line, 'one value was expected');
  if (timestamp !== undefined && !/^-?\d+$/.test(timestamp))
    throw refusal(place, line, `"${timestamp}" is no timestamp`);
  return {
    name,
    labels,
    value: readNumber(value, place, line),
    ...(timestamp !== undefined && { timestamp: Number(timestamp) }),
  };
}

function readLabels(
  text: string,
  place: number,
  line: string,
): { labels: Readonly<Record<string, string>>; rest: string } {
  if (!text.startsWith('{')) return { labels: {}, rest: text };
  const labels = new Map<string, string>();
  let rest = text.slice(1);
  for (;;) {
    const end = /^[ \t]*\}/.exec(rest);
    if (end !== null) return { labels: Object.fromEntries(labels), rest: rest.slice(end[0].length) };
    const match = LABEL.exec(rest);
    if (match === null) throw refusal(place, line, 'the labels cannot be read');
    const [whole, name = '', value = ''] = match;
    if (labels.has(name)) throw refusal(place, line, `the label ${name} is given twice`);
    labels.set(name, unescapeLabel(value, place, line));
    rest = rest.slice(whole.length);
  }
}

function unescapeLabel(text: string, place: number, line: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => {
    switch (character) {
      case 'n':
        return '\n';
      case '\\':
      case '"':
        return character;
      default:
        throw refusal(place, line, `"\\${character}" is no escape`);
    }
  });
}

const unescapeHelp = (text: string): string =>
  text.replace(/\\([\\n])/g, (_, character: string) => (character === 'n' ? '\n' : '\\'));

function readNumber(text: string, place: number, line: string): number {
  const lower = text.toLowerCase();
  if (lower === 'nan') return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/.exec(lower);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (NUMBER.test(text)) return Number(text);
  throw refusal(place, line, `"${text}" is no number`);
}

function refusal(place: number, line: string, why: string): ExpositionError {
  const shown = line.length > LONGEST_SHOWN ? `${line.slice(0, LONGEST_SHOWN)}…` : line;
  return new ExpositionError(`line ${place}: ${why}: ${shown}`);
}

/** A histogram's series: cumulative counts by bound, without the infinite one, which is `count`. */
export interface HistogramSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Ascending, finite. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
}

/**
 * The series of a histogram.
 * @throws ExpositionError when one lacks a part or its counts fall.
 */
export function histogramsOf({ samples }: Exposition, family: string): readonly HistogramSeries[] {
  const series = new Map<
    string,
    { labels: Record<string, string>; buckets: Map<number, number>; sum?: number; count?: number }
  >();
  for (const sample of samples) {
    const part = partOf(sample.name, family);
    if (part === undefined) continue;
    const { le, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const one = series.get(key) ?? { labels, buckets: new Map<number, number>() };
    series.set(key, one);
    if (part === 'bucket')
      one.buckets.set(readNumber(le ?? '', 0, `${sample.name} without a bound`), sample.value);
    else one[part] = sample.value;
  }
  return [...series.values()].map(({ labels, buckets, sum, count }) => {
    const total = buckets.get(Infinity) ?? count;
    if (total === undefined || sum === undefined)
      throw new ExpositionError(`a series of ${family} lacks its sum or its count`);
    const finite = [...buckets]
      .filter(([upTo]) => Number.isFinite(upTo))
      .map(([upTo, value]) => ({ upTo, count: value }))
      .sort((a, b) => a.upTo - b.upTo);
    const counts = [0, ...finite.map((bucket) => bucket.count), total];
    if (counts.some((value, index) => !(value >= (counts[index - 1] ?? 0))))
      throw new ExpositionError(`the counts of a series of ${family} fall from one bucket to the next`);
    return { labels, buckets: finite, count: total, sum };
  });
}

function partOf(name: string, family: string): 'bucket' | 'sum' | 'count' | undefined {
  if (!name.startsWith(`${family}_`)) return undefined;
  const suffix = name.slice(family.length + 1);
  return suffix === 'bucket' || suffix === 'sum' || suffix === 'count' ? suffix : undefined;
}
