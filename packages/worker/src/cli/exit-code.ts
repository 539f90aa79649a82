/** Exit codes of the command line beside those of tasks. */
export const exitCode = {
  /** The command itself failed, or the task ended in an exception; as `docker run` does. */
  failure: 125,
  /** An error that nobody handled ended a worker; as `EX_SOFTWARE` of sysexits. */
  uncaught: 70,
  /** 128 + the number of the signal that ended the command. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
  /** Nobody reads the output any more, as after `| head -1`. */
  outputLost: 141,
} as const;
