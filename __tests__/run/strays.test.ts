import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { processesByPs, runningProcesses } from '../../src/run/process-table.js';
import { endStrays } from '../../src/run/strays.js';

const MARK = `a-mark-of-the-test-${process.pid}`;

function startStray() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)', MARK], {
    detached: true,
    stdio: 'ignore',
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('exit', (_, signal) => resolve(signal));
  });
  return { id: child.pid, ended };
}

describe('a child that outlived main', () => {
  it('is found by its mark, by /proc and by ps alike, and ended', async () => {
    const stray = startStray();
    try {
      for (const table of [await runningProcesses(), await processesByPs()])
        expect(table.filter(({ command }) => command.includes(MARK)).map(({ id }) => id)).toEqual([stray.id]);
    } finally {
      expect(await endStrays(MARK)).toBe(1);
    }
    expect(await stray.ended).toBe('SIGKILL');
    expect(await endStrays(MARK)).toBe(0);
  });
});
