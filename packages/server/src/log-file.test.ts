import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogFile } from "./log-file.ts";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "everframe-")), "logs");
});
afterEach(() => rm(join(folder, ".."), { recursive: true, force: true }));

describe("LogFile", () => {
  it("[OPS3] keeps files of a bounded size, the newest under the plain name, and lets the oldest go", async () => {
    const log = new LogFile({ folder, maxBytes: 20, maxFiles: 3 });
    for (let i = 0; i < 10; i++) log.write(`line ${i} \n`);
    log.close();
    expect((await readdir(folder)).sort()).toEqual(["everframe.log", "everframe.log.1", "everframe.log.2"]);
    const read = (name: string) => readFile(join(folder, name), "utf8");
    expect(await read("everframe.log")).toBe("line 8 \nline 9 \n");
    expect(await read("everframe.log.1")).toBe("line 6 \nline 7 \n");
    expect(await read("everframe.log.2")).toBe("line 4 \nline 5 \n");
  });

  it("goes on in the file of an earlier process", async () => {
    const first = new LogFile({ folder });
    first.write("first\n");
    first.close();
    const second = new LogFile({ folder });
    second.write("second\n");
    second.close();
    expect(await readFile(second.path, "utf8")).toBe("first\nsecond\n");
  });

  it("gives the last whole lines, and goes on from an offset", async () => {
    const log = new LogFile({ folder });
    expect(log.size()).toBeUndefined();
    expect(await log.tail(10)).toEqual({ lines: [], offset: 0 });
    for (const word of ["one", "two", "three"]) log.write(`${word}\n`);
    log.write("half");
    const { lines, offset } = await log.tail(2);
    expect(lines).toEqual(["two", "three"]);
    expect(offset).toBe("one\ntwo\nthree\n".length);
    log.write(" and whole\n");
    expect(await log.tail(10, offset)).toMatchObject({ lines: ["half and whole"] });
    expect((await log.tail(10, 9999)).lines).toHaveLength(4);
    log.close();
  });

  it("reads no more than the end of a long file, from a whole line on", async () => {
    const log = new LogFile({ folder });
    log.write("start\n");
    log.close();
    await writeFile(log.path, `${"x".repeat(99)}\n`.repeat(20_000));
    const { lines } = await log.tail(100_000);
    expect(lines.length).toBeGreaterThan(10_000);
    expect(lines.length).toBeLessThan(11_000);
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([99]));
  });

  it("leaves lines out that cannot be written, says so once, and writes on when it can", async () => {
    const failures: unknown[] = [];
    const log = new LogFile({ folder, onFailure: (error) => failures.push(error) });
    await writeFile(folder, "a file in the folder's place");
    log.write("lost\n");
    log.write("lost\n");
    expect(failures).toEqual([expect.objectContaining({ code: "EEXIST" })]);
    await rm(folder);
    log.write("kept\n");
    log.close();
    expect(await readFile(log.path, "utf8")).toBe("kept\n");
  });
});
