import { z } from 'zod';
import { ApiError, type CoderHttp, type Request } from './http.js';
import * as schemas from './api-schemas.js';
import type { ProvisionerDaemon, Template, User, Workspace, WorkspaceBuild } from './api-schemas.js';
import { PAGE_SIZE, allOf, pagesOf, type ReadPage } from './paging.js';
import { typedCall, type TypedAnswer } from './typed-call.js';

const DAEMON_LIMIT = 1000;

export interface NewWorkspace {
  readonly templateId: string;
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The calls of Coder's API that the gate makes, typed. Everything throws ApiError. */
export class CoderApi {
  constructor(readonly http: CoderHttp) {}

  withToken(token: string): CoderApi {
    return new CoderApi(this.http.withToken(token));
  }

  async #get<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    return (await this.#call({ method: 'GET', path, ...(signal && { signal }) }, schema)).value;
  }

  #call<T>(request: Request, schema: z.ZodType<T>): Promise<TypedAnswer<T>> {
    return typedCall(this.http, request, schema);
  }

  /** The server's version and clock; needs no sign-in. */
  async buildInfo(): Promise<{ version: string; serverTime: Date | undefined }> {
    const { value, date } = await this.#call(
      { method: 'GET', path: '/api/v2/buildinfo', token: null },
      schemas.buildInfo,
    );
    return { version: value.version, serverTime: date };
  }

  async signIn(email: string, password: string): Promise<string> {
    const request: Request = {
      method: 'POST',
      path: '/api/v2/users/login',
      body: { email, password },
      token: null,
    };
    return (await this.#call(request, schemas.session)).value.session_token;
  }

  async signOut(signal?: AbortSignal): Promise<void> {
    await this.http.send({ method: 'POST', path: '/api/v2/users/logout', ...(signal && { signal }) });
  }

  me(signal?: AbortSignal): Promise<User> {
    return this.#get('/api/v2/users/me', schemas.user, signal);
  }

  /** When a key dies; its id is the first ten characters of the token. */
  async keyExpiry(keyId: string): Promise<Date> {
    return (await this.#get(`/api/v2/users/me/keys/${encodeURIComponent(keyId)}`, schemas.apiKey)).expires_at;
  }

  async passwordLoginEnabled(): Promise<boolean> {
    return (await this.#get('/api/v2/users/authmethods', schemas.authMethods)).password.enabled;
  }

  async rateLimit(): Promise<{ off: boolean; perMinute: number } | undefined> {
    const { config } = await this.#get('/api/v2/deployment/config', schemas.deploymentConfig);
    if (config.rate_limit === undefined) return undefined;
    return {
      off: config.rate_limit.disable_all || config.rate_limit.api <= 0,
      perMinute: config.rate_limit.api,
    };
  }

  templates(): Promise<Template[]> {
    return this.#get('/api/v2/templates', z.array(schemas.template));
  }

  parameters(templateVersionId: string): Promise<z.infer<typeof schemas.richParameter>[]> {
    return this.#get(
      `/api/v2/templateversions/${encodeURIComponent(templateVersionId)}/rich-parameters`,
      z.array(schemas.richParameter),
    );
  }

  /** The external sign-ins that a template version demands of each user. */
  async requiredSignIns(templateVersionId: string): Promise<string[]> {
    const path = `/api/v2/templateversions/${encodeURIComponent(templateVersionId)}/external-auth`;
    const all = await this.#get(
      path,
      z
        .array(schemas.externalAuth)
        .nullable()
        .transform((list) => list ?? []),
    );
    return all.filter(({ optional }) => !optional).map(({ id }) => id);
  }

  provisionerDaemons(organizationId: string, signal?: AbortSignal): Promise<ProvisionerDaemon[]> {
    const path = `/api/v2/organizations/${encodeURIComponent(organizationId)}/provisionerdaemons?limit=${DAEMON_LIMIT}`;
    return this.#get(
      path,
      z
        .array(schemas.provisionerDaemon)
        .nullable()
        .transform((daemons) => daemons ?? []),
      signal,
    );
  }

  async createUser(
    user: { username: string; email: string; password: string; organizationId: string },
    signal?: AbortSignal,
  ): Promise<User> {
    const body = {
      username: user.username,
      email: user.email,
      password: user.password,
      login_type: 'password',
      organization_ids: [user.organizationId],
    };
    return (
      await this.#call(
        { method: 'POST', path: '/api/v2/users', body, ...(signal && { signal }) },
        schemas.user,
      )
    ).value;
  }

  /** A token for a user, valid for so many seconds. An owner may issue one for anybody. */
  async createToken(
    userId: string,
    lifetimeSeconds: number,
    name: string,
    signal?: AbortSignal,
  ): Promise<string> {
    const body = { lifetime: Math.round(lifetimeSeconds) * 1_000_000_000, scope: 'all', token_name: name };
    const path = `/api/v2/users/${encodeURIComponent(userId)}/keys/tokens`;
    return (await this.#call({ method: 'POST', path, body, ...(signal && { signal }) }, schemas.newKey)).value
      .key;
  }

  /** Takes a key or token back; that it is gone already is fine. */
  async revokeKey(userId: string, keyId: string, signal?: AbortSignal): Promise<void> {
    const path = `/api/v2/users/${encodeURIComponent(userId)}/keys/${encodeURIComponent(keyId)}`;
    await this.http.send({ method: 'DELETE', path, accept: [404], ...(signal && { signal }) });
  }

  /**
   * Deletes a user.
   * @returns `has-workspaces` when the server refuses because of them (417).
   */
  async deleteUser(userId: string, signal?: AbortSignal): Promise<'deleted' | 'has-workspaces'> {
    const response = await this.http.send({
      method: 'DELETE',
      path: `/api/v2/users/${encodeURIComponent(userId)}`,
      accept: [404, 417],
      ...(signal && { signal }),
    });
    return response.status === 417 ? 'has-workspaces' : 'deleted';
  }

  async createWorkspace(userId: string, workspace: NewWorkspace, signal?: AbortSignal): Promise<Workspace> {
    const body = {
      template_id: workspace.templateId,
      name: workspace.name,
      rich_parameter_values: Object.entries(workspace.parameters).map(([name, value]) => ({ name, value })),
    };
    // The path with the user's id: up to v2.31 the limiter counts per address and path.
    const path = `/api/v2/users/${encodeURIComponent(userId)}/workspaces`;
    return (await this.#call({ method: 'POST', path, body, ...(signal && { signal }) }, schemas.workspace))
      .value;
  }

  workspace(workspaceId: string, signal?: AbortSignal): Promise<Workspace> {
    return this.#get(`/api/v2/workspaces/${encodeURIComponent(workspaceId)}`, schemas.workspace, signal);
  }

  build(buildId: string, signal?: AbortSignal): Promise<WorkspaceBuild> {
    return this.#get(
      `/api/v2/workspacebuilds/${encodeURIComponent(buildId)}`,
      schemas.workspaceBuild,
      signal,
    );
  }

  builds(workspaceId: string, signal?: AbortSignal): Promise<WorkspaceBuild[]> {
    return this.#get(
      `/api/v2/workspaces/${encodeURIComponent(workspaceId)}/builds`,
      z.array(schemas.workspaceBuild),
      signal,
    );
  }

  /** Only builds that succeeded have any. Older servers than v2.17 do not know the route. */
  buildTimings(buildId: string, signal?: AbortSignal): Promise<schemas.RawBuildTimings> {
    const path = `/api/v2/workspacebuilds/${encodeURIComponent(buildId)}/timings`;
    return this.#get(path, schemas.buildTimings, signal);
  }

  buildLogs(buildId: string, signal?: AbortSignal): Promise<z.infer<typeof schemas.buildLogs>> {
    return this.#get(
      `/api/v2/workspacebuilds/${encodeURIComponent(buildId)}/logs`,
      schemas.buildLogs,
      signal,
    );
  }

  /** Starts a build. @returns undefined when another build is active (409) or the workspace is gone (404, 410). */
  async createBuild(
    workspaceId: string,
    build: { transition: 'start' | 'delete'; orphan?: boolean },
    signal?: AbortSignal,
  ): Promise<WorkspaceBuild | 'active' | 'gone'> {
    const path = `/api/v2/workspaces/${encodeURIComponent(workspaceId)}/builds`;
    const response = await this.http.send({
      method: 'POST',
      path,
      body: build,
      accept: [404, 409, 410],
      ...(signal && { signal }),
    });
    if (response.status === 409) return 'active';
    if (response.status === 404 || response.status === 410) return 'gone';
    const parsed = schemas.workspaceBuild.safeParse(response.body);
    if (parsed.success) return parsed.data;
    throw new ApiError(
      'not-coder',
      `POST ${path} answered something that is not Coder's shape`,
      response.status,
    );
  }

  /** Cancels a build; that it has ended or is being cancelled already is fine. */
  async cancelBuild(buildId: string, signal?: AbortSignal): Promise<void> {
    const path = `/api/v2/workspacebuilds/${encodeURIComponent(buildId)}/cancel`;
    await this.http.send({ method: 'PATCH', path, accept: [400, 404, 412], ...(signal && { signal }) });
  }

  /** How many workspaces match a search. */
  async countWorkspaces(query: string, signal?: AbortSignal): Promise<number> {
    return (
      await this.#get(
        `/api/v2/workspaces?q=${encodeURIComponent(query)}&limit=1`,
        schemas.workspaceCount,
        signal,
      )
    ).count;
  }

  /** All workspaces that match a search, also while their order shifts because builds end. */
  searchWorkspaces(query: string, signal?: AbortSignal): Promise<Workspace[]> {
    return allOf(this.#workspacePages(query, signal));
  }

  /** One pass over the pages of workspaces that match a search, for a caller who needs only so many. */
  async *workspacePages(query: string, signal?: AbortSignal): AsyncGenerator<readonly Workspace[]> {
    for await (const { items } of pagesOf(this.#workspacePages(query, signal))) yield items;
  }

  #workspacePages(query: string, signal?: AbortSignal): ReadPage<Workspace> {
    return async (offset) => {
      const path = `/api/v2/workspaces?q=${encodeURIComponent(query)}&limit=${PAGE_SIZE}&offset=${offset}`;
      const { workspaces, count } = await this.#get(path, schemas.workspacePage, signal);
      return { items: workspaces, count };
    };
  }

  searchUsers(query: string, signal?: AbortSignal): Promise<User[]> {
    return allOf(async (offset) => {
      const path = `/api/v2/users?q=${encodeURIComponent(query)}&limit=${PAGE_SIZE}&offset=${offset}`;
      return { items: (await this.#get(path, schemas.userPage, signal)).users };
    });
  }
}
