// What the server gives out for pages without a bundler: the SDK as /everframe.js, and React for the example that uses it.
import { defineConfig } from "vite";

export default defineConfig({
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Vite leaves the spaces in libraries for other bundlers; browsers read these as they are.
    rolldownOptions: { output: { minify: true } },
    lib: {
      entry: { everframe: "src/index.ts", react: "../../examples/react-module.ts" },
      formats: ["es"],
      fileName: (_, name) => `${name}.js`,
    },
  },
});
