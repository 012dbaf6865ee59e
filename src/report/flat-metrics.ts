import { estimateQuantile } from '../judge/quantile.js';
import type { Metric } from '../measure/metric.js';

const QUANTILES = [0.5, 0.9, 0.95, 0.99] as const;

/** The flat object of the output "metrics": `<metric>.<aggregate>`. What has no finite value is absent. */
export function flatMetrics(metrics: readonly Metric[]): Readonly<Record<string, number>> {
  const flat: Record<string, number> = {};
  const put = (name: string, value: number | undefined): void => {
    if (value !== undefined && Number.isFinite(value)) flat[name] = Math.round(value * 1e6) / 1e6;
  };
  for (const metric of metrics) {
    switch (metric.shape) {
      case 'samples':
        for (const q of QUANTILES) put(`${metric.name}.p${q * 100}`, estimateQuantile(metric, q)?.value);
        if (metric.failed === 0) {
          put(`${metric.name}.max`, metric.samples.at(-1));
          put(
            `${metric.name}.mean`,
            metric.samples.length === 0
              ? undefined
              : metric.samples.reduce((sum, one) => sum + one, 0) / metric.samples.length,
          );
        }
        put(`${metric.name}.min`, metric.samples[0]);
        put(`${metric.name}.count`, metric.samples.length + metric.failed);
        break;
      case 'ratio':
        put(`${metric.name}.value`, metric.total === 0 ? undefined : metric.good / metric.total);
        break;
      case 'buckets':
        // No quantiles: of those only the bucket is known.
        put(`${metric.name}.mean`, metric.total === 0 ? undefined : metric.sum / metric.total);
        put(`${metric.name}.count`, metric.total);
        break;
      case 'count':
      case 'value':
        put(`${metric.name}.value`, metric.value);
        break;
      case 'missing':
        break;
    }
  }
  return flat;
}
