import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { platform } from './platform.js';

/** Where the chat server keeps the files that are uploaded to it. */
export const UPLOADS = path.join(platform.directory, 'ejabberd', 'run', 'upload');

/** The folder of an account's files: each lies in a folder of its own in there. */
export const folderOf = (jid: string): string => path.join(UPLOADS, createHash('sha1').update(jid).digest('hex'));

/** The files in a folder, wherever below. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** The uploaded files that hold the text. */
export async function uploadsWith(text: string): Promise<string[]> {
  const files = await filesIn(UPLOADS);
  const holds = await Promise.all(files.map(async (file) => (await readFile(file)).includes(text)));
  return files.filter((_file, index) => holds[index]);
}
