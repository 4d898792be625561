/** Whether tests can use WebGPU here. */
import { DeviceCopier } from "../device-copier.ts";

/** Undefined where a session on WebGPU can be made, else why not; then tests are skipped and this is their reason. */
export async function whyNoWebGpu(): Promise<string | undefined> {
  try {
    await (await DeviceCopier.create()).close();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`WebGPU tests are skipped: ${reason}`);
    return reason;
  }
}
