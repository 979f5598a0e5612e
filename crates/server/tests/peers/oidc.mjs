// An OpenID Connect provider for the tests: oidc-provider with three clients, its own login form and people who are
// whoever they say. Usage: node oidc.mjs NODE_MODULES REDIRECT [reserved]. Says `listening on URL`.
// `reserved`: its ID tokens say who it is, and everything else has to be asked for. There mallory is said to be ada.
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, redirect, manner] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(modules, "oidc-provider/lib/index.js")));
const client = (id) => ({ client_id: id, client_secret: "secret", redirect_uris: [redirect] });
// A client without a secret: PKCE alone says that the code is its own.
const open = { client_id: "open", token_endpoint_auth_method: "none", redirect_uris: [redirect] };
let answer = (request, response) => response.destroy();
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [client("vestibule"), client("other"), open],
    claims: { openid: ["sub", "groups"], profile: ["name"], email: ["email", "email_verified"] },
    conformIdTokenClaims: manner === "reserved",
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id} of Example`,
        groups: { ada: ["ops"], bob: ["staff"] }[id] ?? [],
        email: `${id}@house.example`,
        email_verified: id !== "cai",
      }),
    }),
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === "/me" && ctx.body?.sub === "mallory") ctx.body = { ...ctx.body, sub: "ada" };
  });
  answer = provider.callback();
  console.log(`listening on ${issuer}`);
});
