// node-wot as a consumer of the enabler's things: finds one, reads, observes, invokes, writes, hears an event.
// Says each step on a line of its own; whoever started it makes the thing's side happen.
const { Servient } = require("@node-wot/core");
const { HttpClientFactory } = require("@node-wot/binding-http");

const [origin, token] = process.argv.slice(2);
const say = (...words) => console.log(words.join(" "));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function get(address) {
  const response = await fetch(address, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function until(what, done) {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await done()) return;
    await pause(100);
  }
  throw new Error(`not in time: ${what}`);
}

async function main() {
  const directory = await (await fetch(`${origin}/.well-known/wot`)).json();
  say("directory", directory["@type"]);
  const list = directory.properties.things.forms[0].href.replace(/\{.*\}/, "");
  const [td] = await get(list);
  say("found", td.id);

  const servient = new Servient();
  servient.addClientFactory(new HttpClientFactory());
  servient.addCredentials({ [td.id]: { token } });
  const wot = await servient.start();
  const thing = await wot.consume(td);
  const read = async (name) => (await thing.readProperty(name)).value();

  say("read", await read("light.on"));

  let observed;
  const observation = await thing.observeProperty("light.on", async (output) => {
    observed = await output.value();
  });
  await until("the light is seen to be on", async () => {
    const status = await (await thing.invokeAction("light.turn_on")).value();
    await until("the call ends", async () => (await get(status.href)).status === "completed");
    return observed === true;
  });
  say("observed", observed);
  await observation.stop();

  await thing.writeProperty("light.level", 0.5);
  say("written", await read("light.level"));
  try {
    await thing.writeProperty("light.level", 7);
  } catch (error) {
    say("refused", error.message);
  }

  let happened;
  await thing.subscribeEvent("bell.press", async (output) => {
    happened = await output.value();
  });
  await until("the bell is heard", () => happened !== undefined);
  say("happened", happened.details.times);
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
