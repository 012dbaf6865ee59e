import * as core from '@actions/core';
import type { Redactor } from '../redact/redactor.js';
import type { Annotation, Log } from '../ports.js';

/** GitHub cuts an annotation's message here. */
const LONGEST_ANNOTATION = 4096;
const LONGEST_TITLE = 255;

function properties(annotation: Annotation | undefined): core.AnnotationProperties {
  return {
    ...(annotation?.title !== undefined && { title: annotation.title.slice(0, LONGEST_TITLE) }),
    ...(annotation?.location && {
      file: annotation.location.file,
      startLine: annotation.location.line,
      startColumn: annotation.location.column,
    }),
  };
}

const shortened = (message: string): string =>
  message.length > LONGEST_ANNOTATION ? `${message.slice(0, LONGEST_ANNOTATION - 1)}…` : message;

/** The runner takes commands from every line: what others wrote is not to be one. */
const asText = (message: string): string =>
  message.replaceAll('##[', '## [').replace(/^(\s*):(?=:)/gm, '$1: ');

/** The job log with its folds and annotations. What is masked there is taken out of everything else too. */
export function githubLog(redactor: Redactor): Log {
  const clean = (message: string): string => shortened(redactor.clean(message));
  return {
    info: (message) => core.info(asText(redactor.clean(message))),
    debug: (message) => core.debug(redactor.clean(message)),
    notice: (message, annotation) => core.notice(clean(message), properties(annotation)),
    warning: (message, annotation) => core.warning(clean(message), properties(annotation)),
    error: (message, annotation) => core.error(clean(message), properties(annotation)),
    group: (title, body) => core.group(title, body),
    mask: (secret) => {
      redactor.learn(secret);
      core.setSecret(secret);
    },
  };
}
