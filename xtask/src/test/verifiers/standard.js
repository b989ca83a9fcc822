// Verifies deliveries with the reference library of Standard Webhooks for JavaScript. Usage: node -e ... -- FILE
//
// FILE is that of standard.py; deliveries of other schemes are left out.

const fs = require("node:fs");
const { Webhook } = require("standardwebhooks");

function accepts(delivery, secret, body) {
  try {
    new Webhook(secret).verify(body, delivery.headers);
    return true;
  } catch (error) {
    if (error.name !== "WebhookVerificationError" && error.constructor.name !== "WebhookVerificationError") {
      throw error;
    }
    return false;
  }
}

function fail(message) {
  console.error(`JavaScript: ${message}`);
  process.exit(1);
}

const deliveries = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
const ours = deliveries.filter((delivery) => delivery.scheme === "standardwebhooks");
for (const delivery of ours) {
  const body = Buffer.from(delivery.body, "base64").toString("utf8");
  for (const secret of delivery.accepts) {
    if (!accepts(delivery, secret, body)) {
      fail(`a delivery does not verify: ${JSON.stringify(delivery.headers)} ${body.slice(0, 200)}`);
    }
    if (accepts(delivery, secret, `${body} `)) {
      fail("a changed body verifies");
    }
  }
  for (const secret of delivery.refuses) {
    if (accepts(delivery, secret, body)) {
      fail(`a secret that signs no more verifies: ${JSON.stringify(delivery.headers)}`);
    }
  }
}
if (ours.length === 0) {
  fail("there is no delivery to verify");
}
console.log(`${ours.length} deliveries verify by standardwebhooks for JavaScript, by the secrets that sign and no others`);
