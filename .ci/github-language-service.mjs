// Reads workflows and actions as GitHub's own editor service does, and fails where it has anything to say.
//   node github-language-service.mjs FILE...
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";

for (const file of process.argv.slice(2)) {
  // It tells an action from a workflow by the name.
  const place = basename(file) === "action.yml" ? "action.yml" : `.github/workflows/${basename(file)}`;
  const document = TextDocument.create(`file:///${place}`, "yaml", 1, readFileSync(file, "utf8"));
  for (const { message, range } of await validate(document)) {
    console.error(`${file}:${range.start.line + 1}: ${message}`);
    process.exitCode = 1;
  }
}
