import { histogramsOf, parseExposition, type Exposition } from './exposition.js';
import { sumSeries } from './histogram-sum.js';
import type { BucketMetric, CountMetric } from './metric.js';
import { readable } from './metrics-page.js';

const FAMILY = 'coderd_scaletest_';

/** What a suite's own metrics page tells, for the log of a run; undefined when it is none. */
export function describeSuitePage(text: string): string | undefined {
  const page = readable(() => parseExposition(text));
  if ('unusable' in page) return undefined;
  const own = page.samples.filter(({ name }) => name.startsWith(FAMILY));
  return own.length === 0 ? undefined : `${own.length} numbers on its metrics page`;
}

type Found =
  Pick<BucketMetric, 'shape' | 'unit' | 'buckets' | 'total' | 'sum'> | Pick<CountMetric, 'shape' | 'value'>;

/**
 * Every histogram of times and every counter of a suite's page, all labels together, by its name without
 * `coderd_scaletest_`. A histogram without a sample measured nothing.
 * @throws ExpositionError for a page that cannot be read.
 */
export function suitePageMetrics(text: string): ReadonlyMap<string, Found> {
  const page = parseExposition(text);
  const found = new Map<string, Found>();
  for (const [family, type] of page.types) {
    if (!family.startsWith(FAMILY)) continue;
    const metric =
      type === 'histogram' ? histogram(page, family) : type === 'counter' ? counter(page, family) : undefined;
    if (metric !== undefined) found.set(family.slice(FAMILY.length), metric);
  }
  return found;
}

function counter({ samples }: Exposition, family: string): Found {
  const value = samples.filter(({ name }) => name === family).reduce((sum, one) => sum + one.value, 0);
  return { shape: 'count', value };
}

function histogram(page: Exposition, family: string): Found | undefined {
  if (!family.endsWith('_seconds')) return undefined;
  const sum = sumSeries(histogramsOf(page, family), family);
  return sum.total === 0 ? undefined : { shape: 'buckets', unit: 'seconds', ...sum };
}
