import { z } from 'zod';
import { suggestion } from './config/nearest.js';
import { parseDuration, QuantityError } from './config/units.js';
import { ConfigurationError, type Mistake } from './errors.js';
import { parseExtraHeaders } from './extra-headers.js';
import { INPUT_NAMES, type InputName } from './input-names.js';
import { seconds, type Seconds } from './units.js';
import { parseUrl } from './url.js';

export type Mode = 'plan' | 'preflight' | 'run' | 'judge' | 'cleanup' | 'gate';

/** How the gate signs in: with a token, or afresh with an owner's password. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly email: string; readonly password: string };

export type Environment = Readonly<Record<string, string | undefined>>;

/** What action.yml has for "coder-version". */
const DEFAULT_VERSION = 'server';

/** Reads the `INPUT_…` variables one by one, and collects what is wrong with them. */
export class InputReader {
  readonly #mistakes: Mistake[] = [];
  /** A bad input is not reported as missing as well. */
  readonly #complained = new Set<InputName>();

  constructor(
    private readonly environment: Environment,
    private readonly noSecrets?: string,
  ) {}

  text(name: InputName): string | undefined {
    const value = this.environment[`INPUT_${name.toUpperCase()}`]?.trim();
    return value === undefined || value === '' ? undefined : value;
  }

  choice<const T extends string>(name: InputName, allowed: readonly T[], fallback: T): T {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const found = allowed.find((one) => one === value);
    if (found === undefined)
      this.#mistake(`input "${name}" is "${value}"; it can be ${allowed.join(', ')}`, name);
    return found ?? fallback;
  }

  flag(name: InputName, fallback: boolean): boolean {
    const value = this.text(name);
    if (value === undefined) return fallback;
    if (/^(true|True|TRUE)$/.test(value)) return true;
    if (/^(false|False|FALSE)$/.test(value)) return false;
    this.#mistake(`input "${name}" is "${value}"; it can be true or false`);
    return fallback;
  }

  wholeNumber(name: InputName, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
    this.#mistake(`input "${name}" is "${value}"; a whole number, ${range}, is needed`);
    return undefined;
  }

  duration(name: InputName, fallback: string, least?: 0): Seconds {
    const value = this.text(name) ?? fallback;
    try {
      const duration = parseDuration(value);
      if (duration > 0 || duration === least) return duration;
      this.#mistake(`input "${name}" is "${value}"; a duration above zero is needed`);
    } catch (thrown) {
      if (!(thrown instanceof QuantityError)) throw thrown;
      this.#mistake(`input "${name}": ${thrown.message}`);
    }
    return parseDuration(fallback);
  }

  /** A duration that may be zero, which then needs no unit. */
  wait(name: InputName): Seconds {
    return /^0+$/.test(this.text(name) ?? '0') ? seconds(0) : this.duration(name, '0s', 0);
  }

  deploymentUrl(): string | undefined {
    const value = this.text('coder-url') ?? this.#variable('CODER_URL');
    if (value === undefined) return undefined;
    const complain = (what: string): void => this.#mistake(`input "coder-url" ${what}`, 'coder-url');
    const url = parseUrl(value);
    if (value.includes('@')) {
      // Not shown: what stands before the "@" is a secret.
      complain(
        'holds credentials; give them as "coder-session-token", or "coder-email" and "coder-password"',
      );
    } else if (url === undefined || !/^https?:$/.test(url.protocol)) {
      complain(`is "${value}"; write it with its scheme, like "https://coder.example.com"`);
    } else if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
      complain(
        `is "${value}"; leave out the part behind the host: Coder's CLI ignores it, so it would test something else. Write "${url.origin}"`,
      );
    } else {
      return url.origin;
    }
    return undefined;
  }

  credential(): Credential | undefined {
    const email = this.text('coder-email');
    const password = this.text('coder-password');
    const inputToken = this.text('coder-session-token');
    if (inputToken !== undefined && (email !== undefined || password !== undefined)) {
      this.#mistake(
        'give either "coder-session-token" or "coder-email" with "coder-password", not both',
        'coder-session-token',
      );
      return undefined;
    }
    if (email !== undefined || password !== undefined) {
      if (email !== undefined && password !== undefined) return { kind: 'password', email, password };
      this.#mistake(
        `input "${email === undefined ? 'coder-email' : 'coder-password'}" is missing: a sign-in needs "coder-email" and "coder-password"`,
        'coder-password',
      );
      return undefined;
    }
    const token = inputToken ?? this.#variable('CODER_SESSION_TOKEN');
    if (token === undefined) return undefined;
    if (/^[A-Za-z0-9]{10}-[A-Za-z0-9]{22}$/.test(token)) return { kind: 'token', token };
    this.#mistake(
      'input "coder-session-token" is no Coder token (10 characters, "-", 22 characters); make one with "coder tokens create"',
      'coder-session-token',
    );
    return undefined;
  }

  requireDeployment(mode: Mode, url: string | undefined, credential: Credential | undefined): void {
    // Of a mode that there is not, nobody knows what it would need.
    if (this.#complained.has('mode')) return;
    if (url === undefined && !this.#complained.has('coder-url')) {
      this.#mistake(`mode "${mode}" needs the deployment: set input "coder-url" (or the variable CODER_URL)`);
    }
    if (this.#complained.has('coder-session-token') || this.#complained.has('coder-password')) return;
    if (credential === undefined) {
      this.#mistake(
        this.noSecrets === undefined
          ? `mode "${mode}" needs an owner's credentials: set input "coder-session-token" (or the variable CODER_SESSION_TOKEN), or "coder-email" and "coder-password"`
          : `there are no credentials for the deployment, because ${this.noSecrets}; the configuration may be right: docs/pull-requests.md of this action says how a maintainer runs the gate on such a pull request`,
      );
    }
  }

  /** The results that mode judge reads, which no other mode does. */
  recordedRun(mode: Mode): string | undefined {
    const value = this.text('from');
    if (this.#complained.has('mode')) return value;
    if (mode === 'judge' && value === undefined)
      this.#mistake(
        'mode "judge" needs the results of a gate or run: set input "from" to their directory, like a downloaded artifact',
      );
    if (mode !== 'judge' && value !== undefined)
      this.#mistake(`input "from" is read by mode "judge" only, but mode is "${mode}"; take one of them out`);
    if (mode === 'judge' && this.text('config') === undefined)
      for (const name of ['profile', 'tests'] as const)
        if (!['all', undefined].includes(this.text(name)))
          this.#mistake(
            `input "${name}" chooses from a config file; in mode "judge" give "config" too, or leave "${name}" out`,
          );
    return value;
  }

  tests(): 'all' | readonly string[] {
    const names = (this.text('tests') ?? 'all')
      .split(/[\n,]/)
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const named = [...new Set(names)].filter((name) => name !== 'all');
    return named.length === 0 || names.length === 0 ? 'all' : named;
  }

  /** A CLI that is there, which leaves nothing to install. Of "coder-version" the runner gives the default as well. */
  givenCli(): string | undefined {
    const value = this.text('coder-path');
    for (const name of ['coder-version', 'coder-download-url'] as const) {
      const other = this.text(name);
      if (value !== undefined && other !== undefined && other !== DEFAULT_VERSION)
        this.#mistake(
          `input "${name}" is for a CLI that is installed, but "coder-path" names one that is there; take one of them out`,
        );
    }
    return value;
  }

  coderVersion(): string {
    const value = this.text('coder-version') ?? DEFAULT_VERSION;
    if (!/^(server|stable|mainline|v?\d+\.\d+\.\d+(-rc\.\d+)?)$/.test(value)) {
      this.#mistake(
        `input "coder-version" is "${value}"; it can be server, stable, mainline or an exact version like 2.36.0`,
      );
    }
    return value;
  }

  downloadUrl(): string | undefined {
    const value = this.text('coder-download-url');
    if (value === undefined) return undefined;
    if (value.includes('@')) {
      this.#mistake(
        'input "coder-download-url" holds credentials, which would stand in logs; use a mirror that needs none, or set "coder-path"',
      );
      return undefined;
    }
    const url = parseUrl(value);
    if (url !== undefined && /^https?:$/.test(url.protocol)) return value.replace(/\/+$/, '');
    this.#mistake(
      `input "coder-download-url" is "${value}"; a URL is needed, like "https://mirror.example.com/coder/coder/releases/download"`,
    );
    return undefined;
  }

  /** coderd's metrics pages: a list separated by commas or lines, without doubles. */
  metricsPages(): readonly string[] {
    const values = (this.text('prometheus-url') ?? '').split(/[\n,]/).map((value) => value.trim());
    return [...new Set(values.flatMap((value) => (value === '' ? [] : (this.#metricsPage(value) ?? []))))];
  }

  #metricsPage(value: string): string | undefined {
    if (value.includes('@')) {
      this.#mistake(
        'input "prometheus-url" holds credentials, which would stand in logs; the pages have to be readable without',
      );
      return undefined;
    }
    const url = parseUrl(value);
    if (url !== undefined && /^https?:$/.test(url.protocol)) return url.href;
    this.#mistake(
      `input "prometheus-url" has "${value}"; a URL is needed for each of coderd's metrics pages, like "http://10.0.0.7:2112"`,
    );
    return undefined;
  }

  extraHeaders(): Readonly<Record<string, string>> {
    const parsed = parseExtraHeaders(this.text('extra-headers') ?? '');
    for (const mistake of parsed.mistakes) this.#mistake(`input "extra-headers", ${mistake}`);
    return parsed.headers;
  }

  resultsDirectory(): string {
    const value = this.text('results-dir') ?? 'scaletest-results';
    if (value.split(/[\\/]/).includes('..')) {
      this.#mistake(`input "results-dir" is "${value}"; it has to stay inside the workspace, without ".."`);
    }
    return value;
  }

  artifactName(): string | undefined {
    const value = this.text('artifact-name');
    if (value !== undefined && /[":<>|*?\r\n\\/]/.test(value)) {
      this.#mistake(`input "artifact-name" is "${value}"; it may not contain any of " : < > | * ? \\ /`);
    }
    return value;
  }

  refuseUnknown(): void {
    const known = new Set(INPUT_NAMES.map((name) => `INPUT_${name.toUpperCase()}`));
    for (const [variable, value] of Object.entries(this.environment)) {
      if (!variable.startsWith('INPUT_') || known.has(variable) || (value ?? '').trim() === '') continue;
      const name = variable.slice('INPUT_'.length).toLowerCase();
      this.#mistake(`unknown input "${name}"; ${suggestion(name, INPUT_NAMES)}`);
    }
  }

  throwMistakes(): void {
    if (this.#mistakes.length > 0) throw new ConfigurationError(this.#mistakes);
  }

  #variable(name: string): string | undefined {
    return z.string().trim().min(1).safeParse(this.environment[name]).data;
  }

  #mistake(message: string, name?: InputName): void {
    this.#mistakes.push({ message });
    if (name !== undefined) this.#complained.add(name);
  }
}
