/**
 * Carries matrices to the GPU and back. The engine has no such call in Node.js
 * (asking a tensor of the device for its data ends the process), so a graph
 * that does nothing is run: with its result left on the device, or not.
 */
import type { DeviceTensor } from "./device-tensor.ts";
import { Graph } from "./graph.ts";
import { Session, type TensorLike } from "./session.ts";

export class DeviceCopier {
  readonly #up: Session;
  readonly #down: Session;

  private constructor(up: Session, down: Session) {
    this.#up = up;
    this.#down = down;
  }

  /** @throws SessionError when there is no GPU */
  static async create(): Promise<DeviceCopier> {
    const g = new Graph("copy", { device: "webgpu" });
    g.output("copy", g.input("matrix", ["rows", "columns"]));
    const model = g.build();
    const up = await Session.create(model, { keep: ["copy"] });
    return new DeviceCopier(up, await Session.create(model));
  }

  /** @param matrix f32 [rows, columns] */
  async upload(matrix: TensorLike): Promise<DeviceTensor> {
    const { kept } = await this.#up.runKeeping({ matrix });
    return kept["copy"]!;
  }

  /** @param matrix f32 [rows, columns] @returns its elements */
  async download(matrix: DeviceTensor): Promise<Float32Array> {
    const { copy } = await this.#down.run({ matrix });
    return copy!.data as Float32Array;
  }

  async close(): Promise<void> {
    await this.#up.close();
    await this.#down.close();
  }
}
