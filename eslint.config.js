// The type-checked rules, and the floors of ARCHITECTURE.md: a file imports from its own floor or below, never from above.
import tseslint from "typescript-eslint";

/** Lowest first. */
const FLOORS = ["errors", "ir", "ops", "methods", "passes", "runtime", "cli"];

const floor = (name, index) => ({
  files: [`src/${name}/**/*.ts`],
  rules: {
    "no-restricted-imports": ["error", {
      patterns: [
        ...(index + 1 < FLOORS.length ? [{ group: FLOORS.slice(index + 1).map((above) => `**/${above}/**`), message: `src/${name} may not import from a floor above it (ARCHITECTURE.md).` }] : []),
        ...(index < FLOORS.indexOf("runtime") ? [{ group: ["node:*", "onnxruntime-*"], message: "Only runtime deals with the system and with ONNX Runtime." }] : []),
      ],
    }],
  },
});

export default tseslint.config(
  { ignores: ["**/dist/**", "node_modules/**", "src/**/generated/**", "fixtures/**"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: false }],
      // What `using` declares is used at its end: a lock is let go of.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreUsingDeclarations: true }],
    },
  },
  ...FLOORS.map(floor),
  {
    files: ["src/ir/proto/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [{ group: ["node:*", "onnxruntime-*", ...["ops", "methods", "passes", "runtime", "cli"].map((above) => `**/${above}/**`)] }] }] },
  },
  {
    files: ["src/**/*.ts"], ignores: ["src/ir/proto/**", "src/runtime/node/**", "src/cli/**"],
    rules: { "no-restricted-syntax": ["error", { selector: "ImportDeclaration[source.value=/^(protobufjs|onnx-proto|node:)/]", message: "ir/proto alone reads protobuf; runtime/node and cli alone deal with the system." }] },
  },
  {
    files: ["src/**/*.ts"], ignores: ["src/runtime/flatbuffers/**", "src/runtime/checkpoint/**", "src/runtime/swap/**"],
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { paths: [{ name: "flatbuffers", message: "runtime/flatbuffers, runtime/checkpoint and runtime/swap alone deal with flatbuffers." }] }] },
  },
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  {
    // mocha's describe and it return promises of nothing, and a test may leave them alone.
    files: ["test/**/*.ts"],
    rules: { "@typescript-eslint/no-floating-promises": "off", "@typescript-eslint/no-unused-expressions": "off" },
  },
);
