import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { superviseProcess, type ProcessOutcome, type ProcessRequest } from '../../src/run/process.js';
import { Cancelled } from '../../src/errors.js';
import { milliseconds } from '../../src/units.js';

const ENVIRONMENT = { PATH: process.env['PATH'] ?? '' };
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'process-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Ended extends ProcessOutcome {
  readonly lines: readonly string[];
  readonly took: number;
}

/** Runs a script of the shell until it ends. */
async function supervise(script: string, changes: Partial<ProcessRequest> = {}): Promise<Ended> {
  const lines: string[] = [];
  const began = performance.now();
  const outcome = await superviseProcess({
    executable: 'bash',
    args: ['-c', script],
    environment: ENVIRONMENT,
    workingDirectory: directory,
    longest: milliseconds(20_000),
    signal: new AbortController().signal,
    onLine: (stream, line) => lines.push(`${stream}: ${line}`),
    ...changes,
  });
  return { ...outcome, lines, took: performance.now() - began };
}

/** Cancels as soon as the script says that it is ready, however slow the machine is. */
async function superviseUntilReady(script: string): Promise<Ended> {
  const controller = new AbortController();
  const lines: string[] = [];
  const onLine: ProcessRequest['onLine'] = (stream, line) => {
    lines.push(`${stream}: ${line}`);
    if (line === 'ready') controller.abort();
  };
  return { ...(await supervise(script, { signal: controller.signal, onLine })), lines };
}

async function isRunning(pidFile: string): Promise<boolean> {
  const pid = Number(await readFile(path.join(directory, pidFile), 'utf8'));
  expect(pid).toBeGreaterThan(1);
  // The kernel needs a moment to bury the dead.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (state === '' || / Z /.test(state)) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

describe.concurrent('a program that ends by itself', () => {
  it.each([0, 1, 2, 130])('gives its exit code %i', async (code) => {
    await expect(supervise(`exit ${code}`)).resolves.toMatchObject({
      exitCode: code,
      exitSignal: null,
      endedBy: 'itself',
    });
  });

  it('gives the signal that it died by', async () => {
    await expect(supervise('kill -TERM $$')).resolves.toMatchObject({
      exitCode: null,
      exitSignal: 'SIGTERM',
      endedBy: 'itself',
    });
  });

  it('is heard line by line, to the last one without a line break', async () => {
    const { lines } = await supervise(
      String.raw`printf 'one\ntwo\r\n'; printf 'trouble\n' >&2; printf 'last'`,
    );
    expect(lines.filter((line) => line.startsWith('stdout'))).toEqual([
      'stdout: one',
      'stdout: two',
      'stdout: last',
    ]);
    expect(lines).toContain('stderr: trouble');
  });

  it('is heard with the beginning of a line that is too long, and with what follows it', async () => {
    const { lines } = await supervise(
      `printf '%0200000d' 0; sleep 0.2; printf '%0200000d-secret' 0; printf 'still\nnext\n'`,
    );
    expect(lines.map((line) => line.slice(-12))).toEqual(['000000000000', 'stdout: next']);
  });

  it('is heard completely, however much it says before it ends', async () => {
    const { lines } = await supervise('seq 1 20000; seq 1 20000 >&2');
    expect(lines).toHaveLength(40_000);
  });

  it('has an empty stdin: nothing can prompt', async () => {
    await expect(supervise('read -r answer || echo "nothing"')).resolves.toMatchObject({
      lines: ['stdout: nothing'],
    });
  });

  it('knows only the environment that it is given, and its folder', async () => {
    const { lines } = await supervise('env; pwd', {
      environment: { ...ENVIRONMENT, CODER_URL: 'http://here' },
    });
    expect(lines).toContain('stdout: CODER_URL=http://here');
    expect(lines.join()).not.toMatch(/NODE|VITEST|HOME=/);
    expect(lines.at(-1)).toMatch(/process-/);
  });

  it('sees its arguments as they are: no shell in between', async () => {
    const { lines } = await supervise('', { executable: 'printf', args: ['%s\\n', '$(id)', 'a b', '*'] });
    expect(lines).toEqual(['stdout: $(id)', 'stdout: a b', 'stdout: *']);
  });

  it('cannot be started when it is not there', async () => {
    await expect(supervise('', { executable: path.join(directory, 'missing') })).rejects.toThrow(/ENOENT/);
  });

  it('leaves no child behind that goes on in the background', async () => {
    const { took } = await supervise('sleep 60 & echo $! > background.pid; exit 0');
    expect(took).toBeLessThan(5000);
    expect(await isRunning('background.pid')).toBe(false);
  });

  it('is over although something that left its group keeps its pipes open', async () => {
    const { took } = await supervise('setsid sleep 6 & sleep 0.3; exit 0', { longest: milliseconds(900) });
    expect(took).toBeLessThan(4000);
  }, 9000);
});

describe.concurrent('a program that is cancelled', () => {
  it('gets SIGINT first and may end well', async () => {
    const script = `trap 'echo interrupted; exit 130' INT; echo ready; while :; do sleep 0.05; done`;
    const ended = await superviseUntilReady(script);
    expect(ended).toMatchObject({
      exitCode: 130,
      endedBy: 'cancel',
      lines: ['stdout: ready', 'stdout: interrupted'],
    });
    expect(ended.took).toBeLessThan(3000);
  });

  it('takes its children with it', async () => {
    const script = `trap 'exit 1' INT; sleep 60 & echo $! > child.pid; echo ready; wait`;
    const ended = await superviseUntilReady(script);
    expect(ended.endedBy).toBe('cancel');
    expect(await isRunning('child.pid')).toBe(false);
  });

  it('is ended although it was cancelled before it began', async () => {
    const ended = await supervise('sleep 60', { signal: AbortSignal.abort() });
    expect(ended).toMatchObject({ exitSignal: 'SIGINT', endedBy: 'cancel' });
    expect(ended.took).toBeLessThan(3000);
  });

  it('gets SIGTERM when it does not hear SIGINT, within the runner’s 7.5 seconds', async () => {
    const script = `trap '' INT; trap 'echo terminated; exit 9' TERM; echo ready; while :; do sleep 0.05; done`;
    const ended = await superviseUntilReady(script);
    expect(ended).toMatchObject({ exitCode: 9, endedBy: 'cancel' });
    expect(ended.lines).toContain('stdout: terminated');
    expect(ended.took).toBeLessThan(7500);
  }, 12_000);

  it('is killed within the 2.5 seconds that the runner leaves after SIGTERM', async () => {
    const controller = new AbortController();
    let asked = performance.now();
    const ended = await supervise(`trap '' INT TERM; echo ready; while :; do sleep 0.05; done`, {
      signal: controller.signal,
      onLine: () => {
        asked = performance.now();
        controller.abort(new Cancelled('SIGTERM'));
      },
    });
    expect(ended).toMatchObject({ exitSignal: 'SIGKILL', endedBy: 'cancel' });
    expect(performance.now() - asked).toBeLessThan(2000);
  }, 12_000);

  it('is killed with its grandchildren when it hears nothing at all', async () => {
    const deaf = `trap '' INT TERM HUP;`;
    const script = `${deaf} bash -c "${deaf} echo \\$\\$ > grandchild.pid; echo ready; while :; do sleep 0.05; done" & while :; do sleep 0.05; done`;
    const ended = await superviseUntilReady(script);
    expect(ended).toMatchObject({ exitCode: null, exitSignal: 'SIGKILL', endedBy: 'cancel' });
    expect(ended.took).toBeLessThan(7500);
    expect(await isRunning('grandchild.pid')).toBe(false);
  }, 12_000);
});

describe.concurrent('a program that takes too long', () => {
  it('is ended at its deadline, by SIGINT first', async () => {
    const script = `trap 'echo late; exit 3' INT; while :; do sleep 0.05; done`;
    const ended = await supervise(script, { longest: milliseconds(1000) });
    expect(ended).toMatchObject({ exitCode: 3, endedBy: 'deadline', lines: ['stdout: late'] });
  });

  it('says deadline although it is cancelled while it ends', async () => {
    const controller = new AbortController();
    const script = `trap 'echo late; sleep 0.3; exit 3' INT; while :; do sleep 0.05; done`;
    const onLine = (): void => controller.abort();
    const ended = await supervise(script, {
      longest: milliseconds(1000),
      signal: controller.signal,
      onLine,
    });
    expect(ended.endedBy).toBe('deadline');
  });
});
