#!/usr/bin/env node
// The command `everframe`: runs the TypeScript of this package from source.
import { register } from "tsx/esm/api";

register();
const { runCli } = await import("../src/cli.ts");
await runCli(process.argv.slice(2));
