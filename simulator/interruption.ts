import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type Interruption = (typeof SIGNALS)[number];
/** One Ctrl-C may come twice: from the terminal, and passed on by npm. */
const SAME_PRESS_MS = 500;

/** For `runAction`: what it has to be given, and what it tells. */
export interface Interruptible {
  readonly cancel: AbortSignal;
  onStepProcess(step: 'main' | 'post', pid: number | undefined): void;
}

/**
 * While the action runs, a signal to this process cancels main, as a runner does, and never ends this process: nobody
 * would be left to start post, and everything would stay on the deployment.
 */
export async function surviving<T>(
  run: (interruptible: Interruptible) => Promise<T>,
  say: (sentence: string) => void,
): Promise<{ readonly result: T; readonly interruption?: Interruption }> {
  const cancel = new AbortController();
  let first: Interruption | undefined;
  let last = -Infinity;
  let post: { readonly pid: number | undefined } | undefined;
  const onSignal = (signal: Interruption): void => {
    const isSamePress = performance.now() - last < SAME_PRESS_MS;
    last = performance.now();
    if (isSamePress) return;
    if (post !== undefined) say(`${signal}: ${cleanUpGoesOn(post.pid)}`);
    else if (first === undefined) say(`${signal}: main is cancelled now; wait for post, which cleans up`);
    else say(`${signal}: main is being cancelled already; wait for post, which cleans up`);
    first ??= signal;
    cancel.abort(new Error(`the run was ended by ${signal}`));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const result = await run({
      cancel: cancel.signal,
      onStepProcess: (step, pid) => {
        if (step !== 'post') return;
        post = { pid };
        last = -Infinity;
      },
    });
    return { result, ...(first !== undefined && { interruption: first }) };
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

const cleanUpGoesOn = (pid: number | undefined): string =>
  `the clean-up goes on, since what it has not removed would stay on the deployment; to end it all the same, kill process ${pid ?? '(none)'}, and remove the rest later with "--input mode=cleanup"`;

/** As shells give it. */
export const exitCodeOf = (interruption: Interruption): number => 128 + constants.signals[interruption];
