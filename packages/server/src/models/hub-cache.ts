/**
 * The hub's cache on disk, shared with its clients in other languages:
 * `models--owner--name/` with `blobs/` (contents, named by their hash),
 * `snapshots/<commit>/` (the repository's tree, as links to blobs) and `refs/`
 * (the commit of each branch). Layout: https://huggingface.co/docs/hub/local-cache
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { copyFile, link, mkdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

export const MAIN = "main";
const COMMIT = /^[0-9a-f]{40}$/;

export class HubCache {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** `repo` as `owner/name`. */
  repoFolder(repo: string): string {
    return join(this.folder, `models--${repo.replaceAll("/", "--")}`);
  }

  /** Where the contents with this hash lie. */
  blobPath(repo: string, etag: string): string {
    return join(this.repoFolder(repo), "blobs", etag);
  }

  snapshotPath(repo: string, commit: string, path: string): string {
    return join(this.repoFolder(repo), "snapshots", commit, ...path.split("/"));
  }

  /** Guards one blob against two downloaders. */
  lockPath(repo: string, etag: string): string {
    return join(this.folder, ".locks", `models--${repo.replaceAll("/", "--")}`, `${etag}.everframe.lock`);
  }

  /** The file in the main branch's commit, else in the newest other that has it. */
  find(repo: string, path: string): string | undefined {
    return this.#commits(repo)
      .map((commit) => this.snapshotPath(repo, commit, path))
      .find((file) => existsSync(file)); // false for a link whose blob is gone
  }

  /** Commits with a snapshot: the main branch's, then from new to old. */
  #commits(repo: string): string[] {
    const snapshots = join(this.repoFolder(repo), "snapshots");
    if (!existsSync(snapshots)) return [];
    const commits = readdirSync(snapshots)
      .filter((name) => COMMIT.test(name))
      .map((name) => ({ name, changedMs: statSync(join(snapshots, name)).mtimeMs }))
      .sort((a, b) => b.changedMs - a.changedMs)
      .map(({ name }) => name);
    return [...new Set([...this.#mainCommit(repo), ...commits])];
  }

  #mainCommit(repo: string): string[] {
    try {
      return [readFileSync(join(this.repoFolder(repo), "refs", MAIN), "utf8").trim()].filter((it) => COMMIT.test(it));
    } catch {
      return []; // some clients leave no note
    }
  }

  /**
   * Puts a blob into a snapshot: as a relative link; where the system allows
   * none (Windows without developer mode, some network disks) as a hard link
   * or a copy. `linkTo` is there for tests.
   */
  async place(repo: string, commit: string, path: string, etag: string, linkTo = symlink): Promise<string> {
    const blob = this.blobPath(repo, etag);
    const file = this.snapshotPath(repo, commit, path);
    const target = relative(dirname(file), blob);
    const present = await readlink(file).catch(() => undefined);
    if (present !== undefined && resolve(dirname(file), present) === resolve(blob)) return file;
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true });
    try {
      await linkTo(target, file);
    } catch {
      await link(blob, file).catch(() => copyFile(blob, file));
    }
    return file;
  }

  /** Notes the commit of the main branch, at once or not at all. */
  async setCommit(repo: string, commit: string): Promise<void> {
    const note = join(this.repoFolder(repo), "refs", MAIN);
    await mkdir(dirname(note), { recursive: true });
    await writeFile(`${note}.${process.pid}`, commit);
    await rename(`${note}.${process.pid}`, note);
  }
}
