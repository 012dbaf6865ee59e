/** Reads the CLI's result files for comparison. */

export interface ReadRun {
  logs: string;
  error: string;
}

export interface ReadResults {
  /** Keys in order, with the types of their values, of the document and of its runs. */
  shape: string[];
  totals: { total: unknown; pass: unknown; fail: unknown; keys: string[] };
  runs: ReadRun[];
}

const DURATION = /^(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s)$|^(\d+h)?(\d+m)?(\d+(\.\d+)?s)$/;
const STARTED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(Z|[+-]\d\d:\d\d)$/;

function kind(key: string, value: unknown): string {
  if (typeof value !== 'string') return typeof value;
  if (DURATION.test(value)) return 'duration';
  return key === 'started_at' && STARTED.test(value) ? 'instant' : 'text';
}

function shapeOf(value: Record<string, unknown>): string {
  return Object.entries(value)
    .map(([key, one]) => `${key}:${kind(key, one)}`)
    .join(' ');
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function readResults(content: string): ReadResults {
  if (!content.endsWith('}\n') || content.trimEnd().includes('\n'))
    throw new Error('not one line and a newline');
  const document = record(JSON.parse(content));
  const runs = Object.entries(record(document.runs)).map(([key, run]) => ({ key, run: record(run) }));
  // JSON.parse keeps the order of text keys, so this is the order of the file.
  const keys = runs.map(({ key }) => key);
  return {
    shape: [shapeOf({ ...document, runs: 0 }), ...new Set(runs.map(({ run }) => shapeOf(run)))],
    totals: { total: document.total_runs, pass: document.total_pass, fail: document.total_fail, keys },
    runs: runs.map(({ run }) => ({ logs: String(run.logs), error: String(run.error) })),
  };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

export function normalizedError(error: string): string {
  return error.replace(UUID, '<id>').replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>');
}

/** Keys of a logged body, so that bodies are compared without their values. */
function bodyKeys(text: string): string {
  const unquoted = text.replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  return [...unquoted.matchAll(/"([a-z_0-9]+)":/g)]
    .map(([, key]) => key)
    .filter(
      (key) =>
        !['started_at', 'completed_at', 'worker_id', 'has_ai_task', 'has_external_agent'].includes(key ?? ''),
    )
    .slice(0, 40)
    .join();
}

/**
 * What kinds of lines a log has, in order: times, ids and values are taken out, and how often the CLI had to look again
 * does not matter; nor does the order in which Terraform happened to work.
 */
export function logSkeleton(logs: string): string {
  const lines = logs
    .replace(/^(\t\w+:\t)(data|coder_agent|coder_app|terraform_data|Plan|Apply|Outputs).*\n/gm, '')
    .replace(/(Build is currently queued\.)\.*/g, '$1..')
    .replace(UUID, '<id>')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/g, '<time>')
    .replace(/scaletest-[0-9A-Za-z]{8}-\d+/g, '<name>')
    .replace(/[0-9A-Za-z]{8}-\d+@/g, '<name>@')
    .split('\n')
    .map((line) =>
      line.replace(/ {2}body="(.*)"(?= {2}status| *$)/, (_, body: string) => `  body=${bodyKeys(body)}`),
    );
  const joined = lines.join('\n');
  const look =
    /<time> \[debu\] {2}sdk request {2}method=GET.*\n.*sdk response.*\n(\tAgent "main" is connecting\n\n)?/g;
  return joined
    .replace(look, (match) => match.replace(/\tAgent "main" is connecting\n\n$/, ''))
    .replace(/(<time>.*\n)(<time>.*\n)\1\2/g, '$1$2');
}
