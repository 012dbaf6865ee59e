import { now } from './clock.js';
import type { Deployment } from './deployment.js';
import { Fates } from './fates.js';
import {
  type Agent,
  type Build,
  type Job,
  jobStatus,
  latestBuild,
  type Template,
  type Workspace,
} from './state.js';

const REAPER_TEXT =
  'Coder: Build has been detected as pending for 30 minutes and has been terminated by the reaper.';
const REAPER_BATCH = 10;
const REAPER_INTERVAL_SECONDS = 60;

export interface Daemon {
  id: string;
  name: string;
  createdAt: number;
  job: Job | null;
  previousJob: Job | null;
}

interface Work {
  job: Job;
  /** Drawn when the job is taken. */
  seconds: () => number;
  finish: () => void;
}

/** The provisioner daemons: first in, first out, one job at a time each. */
export class Provisioning {
  readonly daemons: Daemon[] = [];
  readonly queue: Work[] = [];
  readonly #running = new Map<string, { daemon: Daemon; work: Work; timer: NodeJS.Timeout }>();
  readonly #deployment: Deployment;
  readonly #fates: Fates;
  #reaper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#fates = new Fates(deployment);
  }

  start(): void {
    this.#resize();
    this.#scheduleReaper();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reaper);
    for (const { timer } of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
    this.queue.length = 0;
  }

  enqueueBuild(build: Build, workspace: Workspace, template: Template): void {
    this.#enqueue({
      job: build.job,
      seconds: () => {
        build.fate = this.#fates.draw(build.transition, workspace, template);
        return build.fate.seconds;
      },
      finish: () => this.#finishBuild(build, workspace, template),
    });
  }

  enqueueDryRun(job: Job, template: Template): void {
    this.#enqueue({ job, seconds: () => this.#fates.dryRunSeconds(template), finish: () => undefined });
  }

  /** A pending job ends at once; a running one a little later, with what Terraform says when it is interrupted. */
  cancel(job: Job): void {
    const time = now();
    job.canceledAt = time;
    job.updatedAt = time;
    const waiting = this.queue.findIndex((work) => work.job === job);
    if (waiting >= 0) {
      this.queue.splice(waiting, 1);
      job.completedAt = time;
      return;
    }
    const running = this.#running.get(job.id);
    if (running === undefined) return;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => {
      job.error = 'context canceled';
      this.#release(job, running.daemon);
    }, this.#deployment.options.cancelSeconds * 1000);
  }

  /** For workspaces that were there before: the build is over at once. */
  completeAtOnce(build: Build, workspace: Workspace, template: Template): void {
    const index = this.queue.findIndex((work) => work.job === build.job);
    if (index >= 0) this.queue.splice(index, 1);
    const daemon = this.daemons[0];
    build.job.startedAt = build.createdAt;
    build.job.workerId = daemon?.id ?? this.#deployment.random.uuid();
    this.#finishBuild(build, workspace, template);
    const agent = build.resource?.agent ?? null;
    if (agent !== null)
      Object.assign(agent, {
        connectsAt: agent.createdAt,
        startsAt: agent.createdAt,
        readyAt: agent.createdAt,
      });
  }

  /** 1-based place among the waiting, and how many wait; zeros when the job does not wait. */
  queuePlace(job: Job): { position: number; size: number } {
    if (jobStatus(job) !== 'pending' || this.daemons.length === 0) return { position: 0, size: 0 };
    const index = this.queue.findIndex((work) => work.job === job);
    return { position: index + 1, size: this.queue.length };
  }

  /** Takes up jobs while daemons are free; call it after `provisionerSlots` was changed. */
  dispatch(): void {
    if (this.#closed) return;
    this.#resize();
    for (const daemon of this.daemons) {
      if (daemon.job !== null) continue;
      const work = this.queue.shift();
      if (work === undefined) return;
      this.#take(daemon, work);
    }
  }

  #enqueue(work: Work): void {
    this.queue.push(work);
    // The real daemon is told by a database notification: the answer to the request is always still "pending".
    setImmediate(() => this.dispatch());
  }

  #take(daemon: Daemon, work: Work): void {
    const { job } = work;
    daemon.job = job;
    job.startedAt = now();
    job.updatedAt = job.startedAt;
    job.workerId = daemon.id;
    job.plannedMs = work.seconds() * 1000;
    const timer = setTimeout(() => {
      work.finish();
      this.#release(job, daemon);
    }, job.plannedMs);
    this.#running.set(job.id, { daemon, work, timer });
  }

  #release(job: Job, daemon: Daemon): void {
    job.completedAt ??= now();
    job.updatedAt = job.completedAt;
    this.#running.delete(job.id);
    daemon.job = null;
    daemon.previousJob = job;
    this.dispatch();
  }

  #finishBuild(build: Build, workspace: Workspace, template: Template): void {
    const time = now();
    build.job.completedAt = time;
    if (build.fate?.fails === true) {
      build.job.error = 'terraform apply: exit status 1';
      return;
    }
    this.#disconnectOlderAgents(build, workspace, time);
    if (build.transition === 'start') this.#addResource(build, template, time);
    // Only the newest build decides; a second delete of a deleted workspace changes nothing.
    if (build.transition === 'delete' && latestBuild(workspace) === build) {
      workspace.deleted = true;
      if (this.#deployment.traits.newestKeys) {
        for (const older of workspace.builds) if (older.resource !== null) older.resource.agent = null;
      }
    }
  }

  #disconnectOlderAgents(build: Build, workspace: Workspace, time: number): void {
    for (const older of workspace.builds) {
      const agent = older.resource?.agent ?? null;
      if (older !== build && agent !== null) agent.disconnectedAt ??= time;
    }
  }

  #addResource(build: Build, template: Template, time: number): void {
    const { random } = this.#deployment;
    const { hasAgent, startScript } = this.#deployment.templateOptions(template);
    const createdAt = time + 5.6;
    const { connectMs = 0, readyMs = 0, latencyMs = 1 } = build.fate ?? {};
    const connectsAt = createdAt + 0.4 + connectMs;
    const startsAt = connectsAt + 40;
    const agent: Agent = {
      id: random.uuid(),
      appId: random.uuid(),
      createdAt: createdAt + 0.4,
      connectsAt,
      startsAt,
      readyAt: startsAt + readyMs,
      startScript,
      latencyMs,
      disconnectedAt: null,
    };
    build.resource = {
      id: random.uuid(),
      createdAt,
      type: 'terraform_data',
      name: hasAgent ? 'agent' : 'vm',
      agent: hasAgent ? agent : null,
    };
  }

  #resize(): void {
    const { random, options } = this.#deployment;
    while (this.daemons.length < options.provisionerSlots) {
      const name = `vm-${this.daemons.length}`;
      this.daemons.push({ id: random.uuid(), name, createdAt: now(), job: null, previousJob: null });
    }
    for (let index = this.daemons.length - 1; index >= options.provisionerSlots; index -= 1) {
      if (this.daemons[index]?.job === null) this.daemons.splice(index, 1);
    }
  }

  #scheduleReaper(): void {
    if (this.#closed) return;
    // The real one looks every minute; a shortened limit needs a shortened look.
    const seconds = Math.min(REAPER_INTERVAL_SECONDS, this.#deployment.options.pendingLimitSeconds / 10);
    this.#reaper = setTimeout(
      () => {
        this.#reap();
        this.dispatch();
        this.#scheduleReaper();
      },
      Math.max(50, Math.min(1, seconds) * 1000),
    );
    this.#reaper.unref();
  }

  #reap(): void {
    if (!this.#deployment.traits.reapsPending) return;
    const time = now();
    const oldest = time - this.#deployment.options.pendingLimitSeconds * 1000;
    const overdue = this.queue.filter((work) => work.job.createdAt < oldest).slice(0, REAPER_BATCH);
    for (const { job } of overdue) {
      this.queue.splice(
        this.queue.findIndex((work) => work.job === job),
        1,
      );
      job.startedAt = time;
      job.completedAt = time;
      job.updatedAt = time;
      job.error = REAPER_TEXT;
    }
  }
}
