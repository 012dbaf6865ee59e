import { z } from 'zod';
import type { Template } from './api-schemas.js';
import { ApiError, type CoderHttp, type Method } from './http.js';

const PREBUILDS = '/api/v2/prebuilds/settings';

const entitlements = z.object({ features: z.record(z.string(), z.object({ enabled: z.boolean() })) });
const prebuildSettings = z.object({ reconciliation_paused: z.boolean() });
const templateVersion = z.object({ has_external_agent: z.boolean().default(false) });
const templates = z.array(z.object({ id: z.string(), name: z.string() }));

/** Functions of a whole deployment that suites of the CLI depend on, change, or leave something in. */
export class DeploymentFunctions {
  constructor(private readonly http: CoderHttp) {}

  /** The licensed features that are on. An AGPL build has none. */
  async features(): Promise<readonly string[]> {
    const body = await this.#ask('GET', '/api/v2/entitlements', [404]);
    if (body === undefined) return [];
    return Object.entries(entitlements.parse(body).features)
      .filter(([, { enabled }]) => enabled)
      .map(([name]) => name);
  }

  async experiments(): Promise<readonly string[]> {
    return z
      .array(z.string())
      .nullable()
      .transform((list) => list ?? [])
      .parse(await this.#ask('GET', '/api/v2/experiments'));
  }

  /** Whether prebuilt workspaces are paused; never where the licence or the release has none (403, 404). */
  async prebuildsPaused(signal?: AbortSignal): Promise<boolean> {
    const body = await this.#ask('GET', PREBUILDS, [403, 404], undefined, signal);
    return body !== undefined && prebuildSettings.parse(body).reconciliation_paused;
  }

  /** @throws ApiError also when the deployment says afterwards that they are still paused. */
  async resumePrebuilds(signal?: AbortSignal): Promise<void> {
    await this.#ask('PUT', PREBUILDS, [], { reconciliation_paused: false }, signal);
    if (await this.prebuildsPaused(signal))
      throw new ApiError(
        'status',
        'the deployment accepted that prebuilt workspaces go on, and did not do so',
      );
  }

  /** Of some templates, the names of those whose agents run outside of Coder. */
  async withExternalAgent(among: readonly Template[]): Promise<readonly string[]> {
    const found = await Promise.all(
      among.map(async ({ name, active_version_id: version }) => {
        const path = `/api/v2/templateversions/${encodeURIComponent(version)}`;
        return templateVersion.parse(await this.#ask('GET', path)).has_external_agent ? [name] : [];
      }),
    );
    return found.flat();
  }

  async templates(signal?: AbortSignal): Promise<readonly { readonly id: string; readonly name: string }[]> {
    return templates.parse(await this.#ask('GET', '/api/v2/templates', [], undefined, signal));
  }

  /** A template that is gone already is fine. */
  async deleteTemplate(id: string, signal?: AbortSignal): Promise<void> {
    await this.#ask('DELETE', `/api/v2/templates/${encodeURIComponent(id)}`, [404, 410], undefined, signal);
  }

  /** @returns the body; undefined for one of the accepted statuses. */
  async #ask(
    method: Method,
    path: string,
    accept: readonly number[] = [],
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const response = await this.http.send({
      method,
      path,
      accept,
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
    return accept.includes(response.status) ? undefined : response.body;
  }
}
