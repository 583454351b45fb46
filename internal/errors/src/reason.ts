const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'there is no permission',
  EPERM: 'it is not permitted',
  ERR_ACCESS_DENIED: 'the permission model that the program runs under forbids it (--allow-fs-read, --allow-fs-write)',
  EROFS: 'the file system is read-only',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a file is where a directory should be',
  EISDIR: 'it is a directory',
  EEXIST: 'something of that name is there already',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk or terminal failed (input/output error)',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'it is a loop of links',
  EMFILE: 'too many files are open',
  EBUSY: 'it is in use',
  EINVAL: 'the file system does not allow it',
}

/** What a system error says, in plain words with its code; the message of any other error. */
export function reasonOf(error: unknown): string {
  const { code, path, message, syscall } = error as NodeJS.ErrnoException
  if (syscall === 'uv_cwd') return 'the working directory was deleted'
  const reason = typeof code === 'string' && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined
  if (reason === undefined) return message ?? String(error)
  return `${reason}${path ? `, ${path}` : ''} (${code})`
}
