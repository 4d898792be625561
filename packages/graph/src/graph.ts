/**
 * The graph builder: model code calls operators as methods, every call checks
 * shapes, `build` writes ONNX.
 *
 * ```ts
 * const g = new Graph("mlp");
 * const x = g.input("x", ["tokens", 256]);
 * const hidden = g.gelu(g.linear(x, g.weight(file, "fc1.weight"), g.weight(file, "fc1.bias")), "tanh");
 * g.output("y", g.linear(hidden, g.weight(file, "fc2.weight")));
 * const session = await Session.create(g.build());
 * ```
 */
import { SpatialOps } from "./spatial-ops.ts";

export class Graph extends SpatialOps {}
