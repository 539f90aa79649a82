import { UserError } from '../../user-error.ts';
import type { DefinitionFields } from './definition-schema.ts';

/** One task of a task file. */
export interface TaskDocument {
  /** `metadata.name`, else made of the file's name. */
  name: string;
  taskId: string;
  /** TaskIds of those in the file that it needs; they stand before it. */
  dependencies: string[];
  /** Of taskgraph. */
  kind?: string;
  /** As it is written; it has no problems that can be known without a worker. */
  payload: unknown;
  /** What the document says about the task beside its payload. */
  task: DefinitionFields;
}

/** The message is one text for the person who wrote the file, one line per problem. */
export class TaskFileError extends UserError {
  constructor(message: string) {
    super(message);
    this.name = 'TaskFileError';
  }
}
