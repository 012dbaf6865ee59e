/** Why a run failed, as far as it can be told: the messages of its error, and the lines of its log that say `error:`. */
export interface FailureCause {
  /** Without the frames of the call stack. */
  readonly message: string;
  /** From the build log: what Terraform said. */
  readonly logErrors: readonly string[];
  /** One line that is the same for runs that failed the same way. */
  readonly summary: string;
}

const MOST_LOG_ERRORS = 20;
const LONGEST_SUMMARY = 300;

/**
 * Reads the cause of a failed run.
 * @param error Go's `%+v` of the error: each message is followed by frames, which are indented by four spaces or more.
 * @param logs the run's logs, decoded; a failed build's cause stands there on lines that begin with a tab and `error:`.
 */
export function failureCause(error: string, logs: string): FailureCause {
  const messages = error
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^ {4,}/.test(line))
    .map((line) =>
      line
        .replace(/^\s*-\s+/, '')
        .trim()
        .replace(/:$/, ''),
    )
    .filter((message) => message !== '');
  const logErrors = [...logs.matchAll(/^\terror:[ \t]*(.*)$/gm)]
    .map(([, text = '']) => text.trim())
    .filter((text) => text !== '')
    .slice(0, MOST_LOG_ERRORS);
  const message = messages.join(': ');
  return { message, logErrors, summary: summarize(messages, logErrors) };
}

function summarize(messages: readonly string[], logErrors: readonly string[]): string {
  const root = messages
    .filter(
      (message) =>
        !/^(create workspace|wait for (build|agents)|create user|login with new user)$/.test(message),
    )
    .join(': ');
  const reasons = logErrors.filter((line) => /^Error/.test(line));
  // Terraform's headline ("Error: local-exec provisioner error") says less than the line that has the text of the trouble.
  const reason = reasons.find((line) => !/^Error: [^:]+ error$/.test(line)) ?? reasons[0] ?? '';
  const parts = [root === '' ? (messages.at(-1) ?? 'unknown') : root, reason].filter((part) => part !== '');
  return neutral(parts.join('; ')).slice(0, LONGEST_SUMMARY);
}

/** Takes out what differs from run to run, so that equal causes can be counted. */
function neutral(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<id>')
    .replace(/scaletest-[0-9A-Za-z]{8}-\d+/g, 'scaletest-…')
    .replace(/\s+/g, ' ')
    .trim();
}

export interface CountedCause {
  readonly summary: string;
  readonly count: number;
}

/** Equal causes together, the most frequent first. */
export function countCauses(causes: readonly FailureCause[]): readonly CountedCause[] {
  const counts = new Map<string, number>();
  for (const { summary } of causes) counts.set(summary, (counts.get(summary) ?? 0) + 1);
  return [...counts].map(([summary, count]) => ({ summary, count })).sort((a, b) => b.count - a.count);
}
