// Validates the custom resources of rendered manifests (JSON, an array, on stdin) by the validators
// that npm packages carry. Prints each fault; the exit status is 1 where there is one, or where a
// custom resource has no validator here.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [modules] = process.argv.slice(2);
const PACKAGES = {
  "monitoring.coreos.com": "prometheus-operator",
  "keda.sh": "keda",
  "external-secrets.io": "external-secrets",
};
let faults = 0;
for (const each of JSON.parse(readFileSync(0, "utf8"))) {
  const [group, version] = each.apiVersion.split("/");
  const holder = PACKAGES[group];
  if (!holder) continue;
  const file = join(modules, "@kubernetes-models", holder, group, version, `${each.kind}.js`);
  const model = (await import(pathToFileURL(file)))[each.kind];
  try {
    new model(each).validate();
  } catch (error) {
    faults += 1;
    console.error(`${each.kind} ${each.metadata.name}: ${error.message}`);
  }
}
process.exit(faults ? 1 : 0);
