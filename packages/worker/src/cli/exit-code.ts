/** Exit codes of the command line beside those of tasks. */
export const exitCode = {
  /** The command could not be carried out, or the task could not be started; as `docker run` does. */
  failure: 125,
  /** The task was still running after its maxRunTime; as `timeout` does. */
  timeOut: 124,
  /** The task's payload is malformed; as `EX_DATAERR` of sysexits. */
  malformed: 65,
  /** What the task cannot help ended it; as `EX_UNAVAILABLE` of sysexits. */
  workerFault: 69,
  /** The task was cancelled, or its deadline has passed; as `EX_TEMPFAIL` of sysexits. */
  cancelled: 75,
  /** An error that nobody handled ended a worker; as `EX_SOFTWARE` of sysexits. */
  uncaught: 70,
  /** 128 + the number of the signal that ended the command. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
  /** Nobody reads the output any more, as after `| head -1`. */
  outputLost: 141,
} as const;
