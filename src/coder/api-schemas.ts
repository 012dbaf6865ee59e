import { z } from 'zod';

/** The parts of Coder's answers that the gate uses. Unknown keys are ignored: every release adds some. */

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** Go writes an empty list as `null` in some places. */
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

export const buildInfo = z.object({ version: z.string() });

export const user = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string().default(''),
  created_at: time,
  organization_ids: z.array(z.string()).default([]),
  roles: z.array(z.object({ name: z.string() })).default([]),
});
export type User = z.infer<typeof user>;

export const userPage = z.object({ users: z.array(user) });

export const apiKey = z.object({ id: z.string(), expires_at: time });
export const namedToken = z.object({
  id: z.string(),
  user_id: z.string(),
  /** Only in the list. */
  username: z.string().default(''),
  token_name: z.string().default(''),
  created_at: time,
  expires_at: time,
});
export type NamedToken = z.infer<typeof namedToken>;

/** JSON null when there are none. */
export const tokenList = z
  .array(namedToken)
  .nullable()
  .transform((tokens) => tokens ?? []);

export const tokenConfig = z.object({ max_token_lifetime: z.number() });
export const newKey = z.object({ key: z.string() });
export const session = z.object({ session_token: z.string() });

export const authMethods = z.object({ password: z.object({ enabled: z.boolean() }) });

const buildTime = z.object({ P50: z.number().nullable() }).optional();

export const template = z.object({
  id: z.string(),
  name: z.string(),
  organization_id: z.string(),
  active_version_id: z.string(),
  build_time_stats: z.object({ start: buildTime, delete: buildTime }).partial().default({}),
});
export type Template = z.infer<typeof template>;

export const richParameter = z.object({
  name: z.string(),
  required: z.boolean(),
  ephemeral: z.boolean().default(false),
  default_value: z.string().default(''),
  options: z
    .array(z.object({ value: z.string() }))
    .nullish()
    .transform((options) => options ?? []),
});

export const externalAuth = z.object({
  id: z.string(),
  optional: z.boolean().default(false),
});

/** Top-level keys are omitted when false or empty, so absent means off. */
export const deploymentConfig = z.object({
  config: z.object({
    rate_limit: z.object({ disable_all: z.boolean(), api: z.number() }).optional(),
    disable_password_auth: z.boolean().default(false),
  }),
});

export const provisionerDaemon = z.object({
  id: z.string(),
  status: z.enum(['idle', 'busy', 'offline']).or(z.string()).nullish(),
  tags: z.record(z.string(), z.string()).default({}),
});
export type ProvisionerDaemon = z.infer<typeof provisionerDaemon>;

const job = z.object({
  id: z.string(),
  created_at: time,
  started_at: time.optional(),
  completed_at: time.optional(),
  error: z.string().optional(),
  status: z.string(),
  worker_id: z.string().optional(),
});

const agent = z.object({
  id: z.string(),
  created_at: time,
  first_connected_at: time.optional(),
  ready_at: time.optional(),
  status: z.string(),
  parent_id: z.string().nullish(),
  scripts: listOf(
    z.object({
      display_name: z.string().default(''),
      run_on_start: z.boolean().default(false),
      start_blocks_login: z.boolean().default(false),
    }),
  ),
});

export const workspaceBuild = z.object({
  id: z.string(),
  workspace_id: z.string(),
  build_number: z.number(),
  template_version_id: z.string(),
  transition: z.enum(['start', 'stop', 'delete']),
  status: z.string(),
  job,
  resources: z
    .array(z.object({ agents: z.array(agent).nullish() }))
    .nullish()
    .transform((resources) => (resources ?? []).flatMap(({ agents }) => agents ?? [])),
});
export type WorkspaceBuild = z.infer<typeof workspaceBuild>;

/** The texts of provisioner timings (`action`, `resource`) are Terraform's own, and are not read. */
const timing = z.object({ started_at: time, ended_at: time, stage: z.string() });
export const buildTimings = z.object({
  provisioner_timings: listOf(timing),
  agent_script_timings: listOf(
    timing.extend({
      display_name: z.string().default(''),
      status: z.string().default(''),
      workspace_agent_id: z.string(),
    }),
  ),
});
export type RawBuildTimings = z.infer<typeof buildTimings>;

export const workspace = z.object({
  id: z.string(),
  name: z.string(),
  created_at: time,
  owner_id: z.string(),
  owner_name: z.string(),
  organization_id: z.string(),
  template_id: z.string(),
  template_name: z.string(),
  latest_build: workspaceBuild,
});
export type Workspace = z.infer<typeof workspace>;

export const workspacePage = z.object({ workspaces: z.array(workspace), count: z.number() });
export const workspaceCount = z.object({ count: z.number() });

export const buildLogs = z.array(z.object({ log_level: z.string(), stage: z.string(), output: z.string() }));
