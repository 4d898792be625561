/** Runs the server from source, without building the page: `node --import tsx packages/server/src/main.ts`. */
import { runCli } from "./cli.ts";

await runCli(process.argv.slice(2));
