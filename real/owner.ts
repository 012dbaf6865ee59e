import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';

const EMAIL = 'gate@example.com';
const LIFETIME_NS = 24 * 3600 * 1_000_000_000;
const PUSH_TIMEOUT_MS = 300_000;

/** Calls to a real server, for preparing it and for looking at it from outside the action. */
export class Owner {
  #token = '';

  private constructor(
    readonly url: string,
    readonly password: string,
  ) {}

  /** Makes the first user of a fresh server. */
  static async create(url: string): Promise<Owner> {
    const owner = new Owner(url, `P-${randomBytes(18).toString('base64url')}`);
    await owner.call('POST', '/api/v2/users/first', {
      email: EMAIL,
      username: 'gate',
      name: 'Gate',
      password: owner.password,
      trial: false,
    });
    const session = z
      .object({ session_token: z.string() })
      .parse(await owner.call('POST', '/api/v2/users/login', { email: EMAIL, password: owner.password }));
    owner.#token = session.session_token;
    const key = z.object({ key: z.string() }).parse(
      await owner.call('POST', '/api/v2/users/me/keys/tokens', {
        lifetime: LIFETIME_NS,
        token_name: 'gate',
      }),
    );
    owner.#token = key.key;
    return owner;
  }

  get token(): string {
    return this.#token;
  }

  get email(): string {
    return EMAIL;
  }

  async call(method: string, route: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.url}${route}`, {
      method,
      signal: AbortSignal.timeout(30_000),
      headers: {
        'Content-Type': 'application/json',
        ...(this.#token !== '' && { 'Coder-Session-Token': this.#token }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${route} answered ${answer.status}: ${text.slice(0, 300)}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async pushTemplate(name: string, coderPath: string, directory: string): Promise<void> {
    const args = [
      'templates',
      'push',
      name,
      '--directory',
      path.join(import.meta.dirname, 'template'),
      '--variable',
      `coder_path=${coderPath}`,
      '--variable',
      `agents_directory=${directory}/agents`,
      '--yes',
    ];
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      CODER_URL: this.url,
      CODER_SESSION_TOKEN: this.#token,
    };
    // With a pipe as stdin it would read a tar from there.
    const child = spawn(coderPath, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PUSH_TIMEOUT_MS,
    });
    const words: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => words.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => words.push(chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    if (code !== 0) throw new Error(`pushing the template failed:\n${words.join('').trim()}`);
  }

  async makeToken(name: string, lifeMs: number): Promise<void> {
    await this.call('POST', '/api/v2/users/me/keys/tokens', {
      lifetime: lifeMs * 1_000_000,
      token_name: name,
    });
  }

  /** The names of the tokens that the lease is made of. */
  async leaseTokens(): Promise<readonly string[]> {
    const tokens = z
      .array(z.object({ token_name: z.string() }))
      .nullable()
      .parse(await this.call('GET', '/api/v2/users/me/keys/tokens?include_expired=true'));
    return (tokens ?? [])
      .map(({ token_name }) => token_name)
      .filter((name) => name.startsWith('scaletest-gate-'));
  }

  /** What the server itself says is left of scale tests. */
  async leftovers(): Promise<{ workspaces: number; users: number }> {
    const workspaces = z
      .object({ count: z.number() })
      .parse(await this.call('GET', '/api/v2/workspaces?q=name:scaletest-&limit=1'));
    const users = z
      .object({ users: z.array(z.unknown()) })
      .parse(await this.call('GET', '/api/v2/users?q=scaletest-&limit=100'));
    return { workspaces: workspaces.count, users: users.users.length };
  }
}
