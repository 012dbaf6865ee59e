import type { Fate } from './fates.js';
import type { TemplateOptions } from './options.js';

export interface User {
  id: string;
  username: string;
  name: string;
  email: string;
  password: string;
  createdAt: number;
  updatedAt: number;
  lastSeenAt: number | null;
  status: 'active' | 'dormant' | 'suspended';
  loginType: 'password' | 'none';
  roles: 'owner'[];
  deleted: boolean;
}

export interface Token {
  id: string;
  secret: string;
  userId: string;
  name: string;
  /** A session comes from a login; a token from the token routes. */
  loginType: 'password' | 'token';
  lifetimeSeconds: number;
  createdAt: number;
  updatedAt: number;
  expiresAt: number;
  lastUsedAt: number | null;
}

export interface Template {
  id: string;
  versionId: string;
  versionName: string;
  fileId: string;
  importJob: Job;
  createdAt: number;
  updatedAt: number;
  options: TemplateOptions;
}

export type JobStatus = 'pending' | 'running' | 'succeeded' | 'canceling' | 'canceled' | 'failed';
export type Transition = 'start' | 'stop' | 'delete';

export interface Job {
  id: string;
  type: 'workspace_build' | 'template_version_import' | 'template_version_dry_run';
  createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  canceledAt: number | null;
  error: string;
  workerId: string | null;
  fileId: string;
  initiatorId: string;
  /** What the job is for: the build, or the template version. */
  subjectId: string;
  templateId: string;
  updatedAt: number;
  /** Counts the deployment's jobs. */
  sequence: number;
  /** How long the work shall take; drawn when it is taken up. */
  plannedMs: number;
}

export function jobStatus(job: Job): JobStatus {
  if (job.completedAt !== null) {
    if (job.error !== '') return 'failed';
    return job.canceledAt === null ? 'succeeded' : 'canceled';
  }
  if (job.error !== '') return 'failed';
  if (job.canceledAt !== null) return 'canceling';
  return job.startedAt === null ? 'pending' : 'running';
}

export function isActive(job: Job): boolean {
  return job.completedAt === null;
}

export interface Agent {
  id: string;
  appId: string;
  createdAt: number;
  connectsAt: number;
  startsAt: number;
  readyAt: number;
  startScript: TemplateOptions['startScript'];
  latencyMs: number;
  /** Set when the workspace's next build has taken the agent away. */
  disconnectedAt: number | null;
}

export interface Resource {
  id: string;
  createdAt: number;
  type: string;
  name: string;
  agent: Agent | null;
}

export interface Build {
  id: string;
  workspaceId: string;
  number: number;
  transition: Transition;
  templateVersionId: string;
  initiatorId: string;
  createdAt: number;
  job: Job;
  resource: Resource | null;
  parameters: { name: string; value: string }[];
  /** Drawn when the job is taken up. */
  fate: Fate | null;
}

export interface Workspace {
  id: string;
  name: string;
  ownerId: string;
  templateId: string;
  createdAt: number;
  lastUsedAt: number;
  deleted: boolean;
  builds: Build[];
}

export interface DryRun {
  job: Job;
  templateVersionId: string;
  workspaceName: string;
  ownerId: string;
}

export interface Notification {
  id: string;
  userId: string;
  targetId: string;
  title: string;
  content: string;
  createdAt: number;
}

/** Everything the deployment knows. Tests look into it. */
export class DeploymentState {
  readonly users = new Map<string, User>();
  readonly tokens = new Map<string, Token>();
  /** The secret half of every token that there ever was, also of those that are gone. */
  readonly tokenSecrets = new Set<string>();
  readonly templates = new Map<string, Template>();
  readonly workspaces = new Map<string, Workspace>();
  readonly builds = new Map<string, Build>();
  readonly dryRuns = new Map<string, DryRun>();
  readonly jobs: Job[] = [];
  readonly notifications: Notification[] = [];
  /** Requests by `"METHOD route"`, e.g. `"GET /api/v2/workspaces/{workspace}"`. */
  readonly requestCounts = new Map<string, number>();
  /** Answers by `"METHOD route status"`. */
  readonly answerCounts = new Map<string, number>();
  /** Requests in flight now, and at most so far. */
  inFlight = 0;
  peakInFlight = 0;
  reconciliationPaused = false;
  /** Exceptions of the simulator itself: always a fault in it. */
  readonly internalErrors: unknown[] = [];

  get notificationCount(): number {
    return this.notifications.length;
  }

  liveUsers(): User[] {
    return [...this.users.values()].filter((user) => !user.deleted);
  }

  liveWorkspaces(): Workspace[] {
    return [...this.workspaces.values()].filter((workspace) => !workspace.deleted);
  }

  userByName(username: string): User | undefined {
    const wanted = username.toLowerCase();
    return this.liveUsers().find((user) => user.username.toLowerCase() === wanted);
  }

  templateByVersion(versionId: string): Template | undefined {
    for (const template of this.templates.values()) if (template.versionId === versionId) return template;
    return undefined;
  }
}

export function latestBuild(workspace: Workspace): Build {
  const build = workspace.builds.at(-1);
  if (build === undefined) throw new Error(`workspace ${workspace.name} has no build`);
  return build;
}
