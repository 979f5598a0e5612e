// Validates a list of Thing Descriptions with Ajv against the schema that the W3C publishes for them.
const { readFileSync } = require("node:fs");
const Ajv = require("ajv").default;
const formats = require("ajv-formats").default;
const schema = require("wot-thing-description-types/schema/td-json-schema-validation.json");

const ajv = formats(new Ajv({ strict: false, allErrors: true }));
// Ajv knows no IRIs. Templates have braces.
ajv.addFormat("iri-reference", (text) => !/[\s"<>\\^`|]/.test(text));
const validate = ajv.compile(schema);
const things = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const thing of things) {
  if (!validate(thing)) {
    console.log(JSON.stringify(validate.errors, null, 1), JSON.stringify(thing, null, 1));
    process.exit(1);
  }
}
console.log(`${things.length} valid`);
