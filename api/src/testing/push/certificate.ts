import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../scripts/lib/self-signed.sh', import.meta.url));

/** A certificate for localhost, of an authority of its own. */
export class Certificate {
  private static own: Certificate | undefined;
  private users = 1;

  private readonly directory = mkdtempSync(path.join(tmpdir(), 'veil-push-'));

  constructor() {
    execFileSync(SCRIPT, [this.directory, 'localhost', '127.0.0.1']);
  }

  /** The one that all fakes of a process show: making one takes a while. */
  static share(): Certificate {
    if (Certificate.own) Certificate.own.users += 1;
    else Certificate.own = new Certificate();
    return Certificate.own;
  }

  /** Removes it once nobody uses it any more. */
  release(): void {
    this.users -= 1;
    if (this.users > 0) return;
    if (Certificate.own === this) Certificate.own = undefined;
    rmSync(this.directory, { recursive: true });
  }

  get authorityFile(): string {
    return path.join(this.directory, 'ca.crt');
  }

  get options(): { key: Buffer; cert: Buffer } {
    return { key: this.read('server.key'), cert: this.read('server.crt') };
  }

  private read(file: string): Buffer {
    return readFileSync(path.join(this.directory, file));
  }
}
