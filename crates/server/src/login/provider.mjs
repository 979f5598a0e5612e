// An OpenID Connect provider for the tests: oidc-provider with two clients, its own login form and people who are
// whoever they say. Usage: node provider.mjs NODE_MODULES PORT REDIRECT
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, redirect] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(modules, "oidc-provider/lib/index.js")));
const client = (id) => ({ client_id: id, client_secret: "secret", redirect_uris: [redirect] });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("vestibule"), client("other")],
  claims: { openid: ["sub", "groups"], profile: ["name"] },
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `${id} of Example`, groups: id === "ada" ? ["ops"] : ["staff"] }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
