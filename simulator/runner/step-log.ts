import { type SecretMasker } from './secret-masker.js';
import { parseWorkflowCommand, type WorkflowCommand } from './workflow-commands.js';

export type AnnotationType = 'error' | 'warning' | 'notice';

export interface Annotation {
  type: AnnotationType;
  title?: string;
  file?: string;
  line?: number;
  endLine?: number;
  col?: number;
  endColumn?: number;
  message: string;
}

/** What GitHub keeps of a step: ten annotations of each type, messages cut at 4,096 characters. */
const keptAnnotationsPerType = 10;
const keptMessageLength = 4_096;

/** Turns the raw lines of one step into the log, the annotations and the groups that GitHub shows. */
export class StepLog {
  readonly lines: string[] = [];
  readonly annotations: Annotation[] = [];
  readonly groups: string[] = [];
  /** Values of the old `::set-output` and `::save-state` commands. */
  readonly outputs: Record<string, string> = {};
  readonly state: Record<string, string> = {};
  droppedAnnotations = 0;
  #openGroups = 0;
  #stopToken: string | undefined;

  constructor(
    private readonly masker: SecretMasker,
    private readonly showDebug: boolean,
    private readonly onLine: (line: string) => void,
  ) {}

  get unclosedGroups(): number {
    return this.#openGroups;
  }

  add(rawLine: string): void {
    const command = parseWorkflowCommand(rawLine, this.#stopToken);
    if (!command) {
      this.#write(rawLine);
    } else if (this.#stopToken !== undefined) {
      // While commands are stopped only the token itself counts; all else is plain text.
      if (command.name === this.#stopToken) this.#stopToken = undefined;
      this.#write(rawLine);
    } else {
      this.#obey(command, rawLine);
    }
  }

  /** An annotation of the runner's own, or of the step. */
  annotate(annotation: Annotation): void {
    const message = this.masker.mask(annotation.message);
    this.#write(`##[${annotation.type}]${message}`);
    const kept = this.annotations.filter((other) => other.type === annotation.type).length;
    if (kept >= keptAnnotationsPerType) this.droppedAnnotations += 1;
    else this.annotations.push({ ...annotation, message: message.slice(0, keptMessageLength) });
  }

  #obey(command: WorkflowCommand, rawLine: string): void {
    const name = command.name.toLowerCase();
    switch (name) {
      case 'add-mask':
        if (command.data.trim() === '') {
          this.annotate({
            type: 'warning',
            message: "Can't add secret mask for empty string in ##[add-mask] command.",
          });
        }
        this.masker.add(command.data);
        return;
      case 'error':
      case 'warning':
      case 'notice':
        this.annotate(annotationOf(name, command, this.masker));
        return;
      case 'group':
        this.#openGroups += 1;
        this.groups.push(this.masker.mask(command.data));
        this.#write(`##[group]${command.data}`);
        return;
      case 'endgroup':
        this.#openGroups = Math.max(0, this.#openGroups - 1);
        this.#write('##[endgroup]');
        return;
      case 'debug':
        if (this.showDebug) this.#write(`##[debug]${command.data}`);
        return;
      case 'stop-commands':
        this.#stopToken = command.data;
        this.#write(rawLine);
        return;
      case 'set-output':
        this.outputs[command.properties.name ?? ''] = command.data;
        return;
      case 'save-state':
        this.state[command.properties.name ?? ''] = command.data;
        return;
      case 'set-env':
      case 'add-path':
        this.annotate({
          type: 'error',
          message: `The \`${name}\` command is disabled. Please upgrade to using Environment Files.`,
        });
        return;
      default:
        // echo and the problem matchers change nothing that a test looks at.
        return;
    }
  }

  #write(line: string): void {
    for (const part of this.masker.mask(line).split(/\r?\n/)) {
      this.lines.push(part);
      this.onLine(part);
    }
  }
}

function annotationOf(type: AnnotationType, command: WorkflowCommand, masker: SecretMasker): Annotation {
  const { title, file, line, endline, col, endcolumn } = command.properties;
  return {
    type,
    ...(title !== undefined && { title: masker.mask(title) }),
    ...(file !== undefined && { file: masker.mask(file) }),
    ...(line !== undefined && { line: Number(line) }),
    ...(endline !== undefined && { endLine: Number(endline) }),
    ...(col !== undefined && { col: Number(col) }),
    ...(endcolumn !== undefined && { endColumn: Number(endcolumn) }),
    message: command.data,
  };
}
