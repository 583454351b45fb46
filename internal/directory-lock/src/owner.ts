/** Who holds a lock, as its file says. */
export interface Owner {
  pid: number
  host: string
  /** Boot and process name space: process ids can be compared only within one. Empty where the system does not tell. */
  space: string
  /** When the process started, in the system's ticks: tells it from a later one with its id. Empty as above. */
  started: string
  /** When the lock was taken, for people. */
  since: string
  /** Tells two locks of one process apart. */
  token: string
}

/** A program on another machine shows that it lives by touching its lock file; after so long without, it is taken for dead. */
const SILENT_MILLISECONDS = 60_000

/** This process, as the owner of a new lock. */
export function thisProcess(): Owner {
  return {
    pid: process.pid,
    host: hostname(),
    space: [read('/proc/sys/kernel/random/boot_id'), link('/proc/self/ns/pid')].join(' ').trim(),
    started: startOf(process.pid),
    since: new Date().toISOString(),
    token: process.getBuiltinModule('node:crypto').randomUUID(),
  }
}

/** Whether an owner still runs. */
export function isAlive(owner: Owner, touchedMilliseconds: number): boolean {
  const here = thisProcess()
  if (owner.host !== here.host || owner.space !== here.space) {
    return Date.now() - touchedMilliseconds < SILENT_MILLISECONDS
  }
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false // EPERM: alive, and someone else's
  }
  if (fieldsOf(owner.pid)[0] === 'Z') return false // a zombie: it has ended, and waits for its parent to ask
  const started = startOf(owner.pid)
  return started === '' || owner.started === '' || started === owner.started
}

/** Empty where it may not be read, as in Deno without --allow-sys. */
function hostname(): string {
  try {
    return process.getBuiltinModule('node:os').hostname()
  } catch {
    return ''
  }
}

/** Field 22 of /proc/<pid>/stat. */
function startOf(pid: number): string {
  return fieldsOf(pid)[19] ?? ''
}

/** The fields of /proc/<pid>/stat from the third on, the state; the name before it may hold spaces, but ends with the last bracket. */
function fieldsOf(pid: number): string[] {
  return read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
}

function read(file: string): string {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(file, 'utf8').trim()
  } catch {
    return '' // not Linux, or a permission model forbids it
  }
}

function link(file: string): string {
  try {
    return process.getBuiltinModule('node:fs').readlinkSync(file)
  } catch {
    return ''
  }
}
