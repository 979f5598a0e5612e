// Validates the GLB files of a folder with the validator of those who made the format, and says what it finds, as JSON.
const fs = require("node:fs");
const path = require("node:path");
const validator = require("gltf-validator");

async function main(folder) {
    const answers = {};
    for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".glb")).sort()) {
        const bytes = new Uint8Array(fs.readFileSync(path.join(folder, name)));
        const report = await validator.validateBytes(bytes);
        answers[name] = report.issues;
    }
    process.stdout.write(JSON.stringify(answers));
}

main(process.argv[2]);
