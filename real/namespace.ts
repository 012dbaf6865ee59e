import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSIDE = 'SCALETEST_REAL_INSIDE_NAMESPACE';

/**
 * Starts this program again inside a network namespace of its own: Coder's overlay network otherwise probes the
 * machine's real interfaces. The interface inside has an address and a default route that leads nowhere, because with
 * loopback alone the overlay calls the network down.
 * @returns the exit code of the inner program, or undefined when this is the inner program, or no namespace can be had.
 */
export async function reenterInNamespace(): Promise<number | undefined> {
  if (process.env[INSIDE] !== undefined) return undefined;
  const name = `scaletest-real-${process.pid}`;
  const obstacle = await makeNamespace(name);
  if (obstacle !== undefined) {
    console.log(`No network namespace of its own (${obstacle}); the server runs on the machine's network.`);
    return undefined;
  }
  try {
    const child = spawn(
      'ip',
      ['netns', 'exec', name, process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      {
        stdio: 'inherit',
        env: { ...process.env, [INSIDE]: name },
      },
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    await run('ip', ['netns', 'delete', name]);
  }
}

async function makeNamespace(name: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  try {
    await run('ip', ['netns', 'add', name]);
    const inside = (...args: string[]): Promise<unknown> => run('ip', ['-n', name, ...args]);
    await inside('link', 'set', 'lo', 'up');
    await inside('link', 'add', 'inner', 'type', 'veth', 'peer', 'name', 'outer');
    await inside('address', 'add', '10.231.0.1/24', 'dev', 'inner');
    await inside('link', 'set', 'inner', 'up');
    await inside('link', 'set', 'outer', 'up');
    await inside('route', 'add', 'default', 'via', '10.231.0.2');
    return undefined;
  } catch (thrown) {
    await run('ip', ['netns', 'delete', name]).catch(() => undefined);
    return thrown instanceof Error ? (thrown.message.split('\n').at(-2) ?? thrown.message) : String(thrown);
  }
}
