import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";
import { consoleAdapter } from "./console-adapter.ts";

/** The gateway a development server passes calls on to. */
const gateway = process.env["VMX_BASE_URL"] ?? "http://127.0.0.1:3000";

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: consoleAdapter(),
      compilerOptions: { runes: true },
      // A build is found by its files; asking for news would be a request nobody sees a use in.
      version: { pollInterval: 0 },
    }),
  ],
  build: { target: "es2023", chunkSizeWarningLimit: 600 },
  server: { proxy: { "/api": gateway, "/v1": gateway } },
});
