import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 20_000;

export interface ServerSettings {
  readonly coderPath: string;
  readonly directory: string;
  /** Undefined: the PostgreSQL that the server brings itself. */
  readonly postgresUrl: string | undefined;
  readonly rateLimits: boolean;
  /** The daemons inside the server, one build at a time each. */
  readonly provisioners: number;
  readonly port: number;
}

/** A real Coder server, as a child process. */
export interface RealServer {
  readonly url: string;
  stop(): Promise<void>;
  /** Keeps it from doing anything for so long, as a hypervisor or a garbage collector would. */
  stall(ms: number): Promise<void>;
  /** Ends it in order and starts it again, as a roll-out does. */
  restart(): Promise<void>;
}

export async function startServer(settings: ServerSettings): Promise<RealServer> {
  const started = await startProcess(settings);
  const { url } = started;
  let { child } = started;
  return {
    url,
    stop: () => stop(child),
    stall: async (ms) => {
      child.kill('SIGSTOP');
      await pause(ms);
      child.kill('SIGCONT');
    },
    restart: async () => {
      await stop(child);
      ({ child } = await startProcess(settings));
    },
  };
}

async function startProcess(settings: ServerSettings): Promise<{ url: string; child: ChildProcess }> {
  const url = `http://127.0.0.1:${settings.port}`;
  const home = path.join(settings.directory, 'home');
  await mkdir(path.join(home, 'tmp'), { recursive: true });
  const log = createWriteStream(path.join(settings.directory, 'server.log'), { flags: 'a' });
  const child = spawn(settings.coderPath, ['server'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: home,
    env: environment(settings, url, home),
  });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  await untilReady(url, child, path.join(settings.directory, 'server.log'));
  return { url, child };
}

function environment(settings: ServerSettings, url: string, home: string): Record<string, string> {
  const passed = ['PATH', 'LANG', 'TF_CLI_CONFIG_FILE', 'CHECKPOINT_DISABLE', 'SSL_CERT_FILE'].flatMap(
    (name) => {
      const value = process.env[name];
      return value === undefined || value === '' ? [] : [[name, value] as const];
    },
  );
  return {
    ...Object.fromEntries(passed),
    HOME: home,
    TMPDIR: path.join(home, 'tmp'),
    CODER_HTTP_ADDRESS: `127.0.0.1:${settings.port}`,
    CODER_ACCESS_URL: url,
    CODER_CACHE_DIRECTORY: path.join(settings.directory, 'cache'),
    CODER_CONFIG_DIR: path.join(settings.directory, 'config'),
    CODER_TELEMETRY_ENABLE: 'false',
    CODER_UPDATE_CHECK: 'false',
    CODER_DERP_SERVER_STUN_ADDRESSES: 'disable',
    CODER_BLOCK_DIRECT: 'true',
    CODER_OAUTH2_GITHUB_DEFAULT_PROVIDER_ENABLE: 'false',
    CODER_PROVISIONER_DAEMONS: String(settings.provisioners),
    // The suite autostart needs it; servers that do not know it only warn.
    CODER_EXPERIMENTS: 'workspace-build-updates',
    ...(settings.postgresUrl !== undefined && { CODER_PG_CONNECTION_URL: settings.postgresUrl }),
    ...(!settings.rateLimits && { CODER_DANGEROUS_DISABLE_RATE_LIMITS: 'true' }),
  };
}

async function untilReady(url: string, child: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`${url}/api/v2/buildinfo`, { signal: AbortSignal.timeout(2000) }).catch(
      () => undefined,
    );
    if (answer?.ok) return;
    await pause(250);
  }
  await stop(child);
  const words = (await readFile(log, 'utf8')).trim().split('\n').slice(-15).join('\n');
  throw new Error(`the Coder server did not get ready; its last words:\n${words}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGINT');
  await Promise.race([ended, pause(STOP_WITHIN_MS)]);
  child.kill('SIGKILL');
  await ended;
}

/** Agents are detached and outlive the server; those of workspaces that were not deleted are ended by their ids. */
export async function stopAgents(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  let stopped = 0;
  for (const name of names) {
    const id = Number(await readFile(path.join(directory, name, 'agent.pid'), 'utf8').catch(() => ''));
    if (id > 1 && (await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).includes('agent')) {
      process.kill(id, 'SIGKILL');
      stopped += 1;
    }
  }
  return stopped;
}
