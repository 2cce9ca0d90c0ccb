import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Run as `bun --bun vite`. `RM_DEV_SERVER` names the server that answers the API in development. */
export default defineConfig(({ command }) => {
  // What is built is what is shipped, also where a test runner says otherwise: React's development half is twice as large.
  if (command === "build") process.env["NODE_ENV"] = "production";
  return {
    root: import.meta.dirname,
    plugins: [react()],
    build: {
      outDir: "dist",
      emptyOutDir: true,
      target: "es2023",
      // The policy of the page forbids data: addresses, so no file is put inside another.
      assetsInlineLimit: 0,
      rollupOptions: {
        output: {
          // Parts that change with our dependencies alone keep their name, and so their place in the browser's cache.
          manualChunks: (id) =>
            /node_modules\/(?:react|react-dom|scheduler)\//.test(id) ? "react" : undefined,
        },
      },
    },
    server: {
      host: "127.0.0.1",
      // With the slash: api.ts is ours.
      proxy: {
        "^/api/": { target: process.env["RM_DEV_SERVER"] ?? "http://127.0.0.1:8080", changeOrigin: true },
      },
    },
  };
});
