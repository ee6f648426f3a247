import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Which version of a server's program is installed on this machine, like `4.6.1`; undefined when it can't be told. */
export async function installedVersion(program: string, deadline: AbortSignal): Promise<string | undefined> {
  const options = { signal: deadline, env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' } };
  // Some print it and end with a status of failure.
  const { stdout, stderr } = await run(program, ['--version'], options).catch((error: unknown) => ({
    stdout: '',
    stderr: '',
    ...(error as object),
  }));
  return /\b\d+\.\d+(\.\d+)*/.exec(`${stdout}\n${stderr}`)?.[0];
}
