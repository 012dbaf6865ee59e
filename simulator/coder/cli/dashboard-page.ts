/** The metrics of the CLI's dashboard suite. */

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DURATION = 'coderd_scaletest_dashboard_duration_seconds';
const ERRORS = 'coderd_scaletest_dashboard_errors_total';

/** Actions of all users, by their label. */
export class DashboardMetrics {
  readonly #seconds = new Map<string, number[]>();
  readonly #errors = new Map<string, number>();

  observe(label: string, seconds: number): void {
    this.#seconds.set(label, [...(this.#seconds.get(label) ?? []), seconds]);
  }

  countError(label: string): void {
    this.#errors.set(label, (this.#errors.get(label) ?? 0) + 1);
  }

  /** The page: without content before the first action. */
  page(): string {
    const durations = sorted(this.#seconds).flatMap(([label, seconds]) => histogram(label, seconds));
    const errors = sorted(this.#errors).map(([label, count]) => `${ERRORS}{action="${label}"} ${count}\n`);
    return `${family(DURATION, 'histogram', durations)}${family(ERRORS, 'counter', errors)}`;
  }
}

const sorted = <Value>(map: Map<string, Value>): [string, Value][] =>
  [...map].sort(([left], [right]) => (left < right ? -1 : 1));

function family(name: string, type: string, lines: string[]): string {
  return lines.length === 0 ? '' : `# HELP ${name} \n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function histogram(label: string, seconds: number[]): string[] {
  const bucket = (bound: string, count: number): string =>
    `${DURATION}_bucket{action="${label}",le="${bound}"} ${count}\n`;
  return [
    ...BOUNDS.map((bound) => bucket(String(bound), seconds.filter((one) => one <= bound).length)),
    bucket('+Inf', seconds.length),
    `${DURATION}_sum{action="${label}"} ${seconds.reduce((sum, one) => sum + one, 0)}\n`,
    `${DURATION}_count{action="${label}"} ${seconds.length}\n`,
  ];
}
