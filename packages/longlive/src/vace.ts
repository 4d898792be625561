/**
 * The condition branch of VACE (arXiv:2503.07598): a few blocks of their own
 * that read the condition beside the noisy latents and give hints, which the
 * main network adds after some of its layers. Their attention stays within
 * the chunk, both ways, and their positions start at frame 0.
 */
import { Graph, type GraphOptions, type Model } from "@everframe/graph";
import { windowedAttention } from "./attention-window.ts";
import type { NetworkConfig, VaceConfig } from "./config.ts";
import type { BranchFiles } from "./transformer.ts";
import { embedPatches, frameTokens, type LatentGrid, namedLinear, times, wanBlock } from "./wan-block.ts";

/**
 * The branch.
 *
 * In: `latents` [frames, C, height, width]; `context` [context, contextChannels, height, width]; `padding`
 * [missing, D], zero tokens for frames without context; `zero_keys` [zero_keys, D], zeros that every query also
 * attends to; `e0` [6, D]; `cos`, `sin` [tokens, headDim / 2]; `text_k<n>`, `text_v<n>` [textLength, D];
 * `hint_from` i64 [1], tokens for which no hint is needed; where the grid is larger than the attention's window
 * `seen_rows` (see `seenRows`), which the zero keys are not among.
 * Out: `hint<n>` [tokens left, D].
 */
export function vaceGraph(
  config: NetworkConfig,
  vace: VaceConfig,
  files: BranchFiles,
  grid: LatentGrid,
  options: GraphOptions = {},
): Model {
  const c = config.transformer;
  const g = new Graph("vace", options);
  const w = { graph: g, file: files.vace };
  const tokens = times(frameTokens(c, grid), "frames");
  const latents = g.input("latents", ["frames", c.inChannels, grid.height, grid.width]);
  const context = g.input("context", ["context", vace.inChannels, grid.height, grid.width]);
  const padding = g.input("padding", ["missing", c.dim]);
  const zeroKeys = g.input("zero_keys", ["zero_keys", c.dim]);
  const modulation = g.input("e0", [6, c.dim]);
  const cos = g.input("cos", [tokens, c.dim / c.heads / 2]);
  const sin = g.input("sin", [tokens, c.dim / c.heads / 2]);

  const attend = windowedAttention(g, c, grid);
  const hintFrom = g.input("hint_from", [1], "i64");
  const embedded = embedPatches({ graph: g, file: files.main }, latents, "patch_embedding", c, grid); // [tokens, D]
  const given = embedPatches(w, context, "vace_patch_embedding", c, grid);
  // Padding is added before the projection, so a missing token still contributes the projection's bias.
  const condition = g.sliceFrom(g.concat([given, padding], 0), 0, g.constI64([0]), tokens);
  let u = g.add(namedLinear(w, condition, "vace_blocks.0.before_proj"), embedded);
  for (const n of vace.layers.keys()) {
    const text = { k: g.input(`text_k${n}`, [c.textLength, c.dim]), v: g.input(`text_v${n}`, [c.textLength, c.dim]) };
    const block = wanBlock(w, `vace_blocks.${n}`, c, {
      x: u,
      modulation,
      cos,
      sin,
      text,
      visible: ({ k, v }) => ({ k: g.concat([k, zeroKeys], 0), v: g.concat([v, zeroKeys], 0) }),
      ...(attend ? { attend } : {}),
    });
    u = block.x;
    const asked = g.sliceFrom(u, 0, hintFrom, "hint_tokens");
    g.output(`hint${n}`, namedLinear(w, asked, `vace_blocks.${n}.after_proj`));
  }
  return g.build();
}
