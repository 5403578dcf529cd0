// Builds what the package carries from what is written here; with --check, says whether it carries just that.
import asc from "assemblyscript/asc";
import * as esbuild from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url)), out = path.join(here, "../src/modgrok/report/static");
process.chdir(here);
fs.mkdirSync("build", { recursive: true });

const { error, stderr } = await asc.main(
  ["src/kernel.ts", "-o", "build/kernel.wasm", "-O3", "--runtime", "stub", "--noAssert", "--enable", "simd,bulk-memory", "--initialMemory", "1"],
  {},
);
if (error) throw new Error(`${error.message}\n${stderr.toString()}`);

const options = { bundle: true, minify: true, write: false, target: "es2022", format: "iife", legalComments: "none" };
const browser = { ...options, loader: { ".wasm": "binary" } };
const asText = {
  name: "bundle",
  setup(build) {
    build.onResolve({ filter: /\?bundle$/ }, ({ path: name, resolveDir }) => ({ path: path.join(resolveDir, name.replace("?bundle", "")), namespace: "bundle" }));
    build.onLoad({ filter: /.*/, namespace: "bundle" }, async ({ path: name }) => {
      const { outputFiles } = await esbuild.build({ ...browser, entryPoints: [name] });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};
const built = {
  "network.js": { ...browser, entryPoints: ["src/network.jsx"], jsx: "automatic", jsxImportSource: "preact", plugins: [asText] },
  "page.js": { ...options, entryPoints: ["src/page.js"] },
  "page.css": { ...options, entryPoints: ["src/page.css"] },
  "network.css": { ...options, entryPoints: ["src/network.css"] },
};
let stale = 0;
for (const [name, options] of Object.entries(built)) {
  const { outputFiles } = await esbuild.build(options), text = outputFiles[0].text, file = path.join(out, name);
  if (process.argv.includes("--check")) {
    if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
      console.error(`src/modgrok/report/static/${name} is not what web/ builds; run npm run build in web/`);
      stale++;
    }
  } else fs.writeFileSync(file, text);
}
process.exit(stale ? 1 : 0);
