// A gRPC server without a schema, or a client of it: one stream of messages both ways, then calls
// at once. `fault` is what it does otherwise than it should.
import grpc from "@grpc/grpc-js";

const [role, host, fault] = process.argv.slice(2);
const port = 50_051;
const messages = 10;
const messageBytes = 100_000;
const calls = 50;

const asIs = { serialize: (bytes) => bytes, deserialize: (bytes) => bytes };
const method = (path, isStream) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: asIs.serialize,
  requestDeserialize: asIs.deserialize,
  responseSerialize: asIs.serialize,
  responseDeserialize: asIs.deserialize,
});
const service = {
  talk: method("/test.Echo/Talk", true),
  say: method("/test.Echo/Say", false),
};

if (role === "server") serve();
else await ask();

/** Without its last byte, in the sixth message. */
function altered(message) {
  return fault === "short" && message[0] === 5 ? message.subarray(0, -1) : message;
}

function serve() {
  const server = new grpc.Server();
  server.addService(service, {
    talk: (call) => {
      call.on("data", (message) => call.write(altered(message)));
      call.on("end", () => call.end());
    },
    say: ({ request }, callback) => {
      const answer = Buffer.concat([Buffer.from("heard "), request]);
      if (fault === "status" && answer.toString().endsWith(" 7"))
        callback({ code: grpc.status.NOT_FOUND, details: "nobody" });
      else callback(null, answer);
    },
  });
  server.bindAsync(`[::]:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
  });
}

async function ask() {
  const Client = grpc.makeGenericClientConstructor(service, "Echo");
  const client = new Client(`${host}:${port}`, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set("tenant", fault === "header" ? "b" : "a");
  const stream = client.talk(metadata);
  let received = 0;
  stream.on("data", () => ++received === messages && stream.end());
  const ended = new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
  for (let i = 0; i < messages; i++) stream.write(altered(Buffer.alloc(messageBytes, i)));
  await ended;
  const asked = Array.from({ length: fault === "missing" ? calls - 1 : calls }, (_, i) => i);
  const answers = await Promise.all(asked.map((i) => say(client, `call ${i}`)));
  console.log(`received ${received} messages and ${answers.length} answers`);
  client.close();
}

function say(client, text) {
  return new Promise((resolve, reject) =>
    client.say(Buffer.from(text), (error, answer) => (error ? reject(error) : resolve(answer))),
  );
}
