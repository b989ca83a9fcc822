// Verifies OpenTrain deliveries as its receivers are told to in Node.js. Usage: node -e ... -- FILE
//
// FILE holds a JSON array of {secret, headers, body (base64)}. Each must be accepted as it came, and refused once
// anything of it was changed, when it is old, and by whoever knows another secret.

const crypto = require("node:crypto");
const fs = require("node:fs");

const HEADER = "x-opentrain-signature";
const TOLERANCE_S = 5 * 60;

// The receiver's recipe: raw bytes, the whole secret as the key, a comparison in constant time, a limited age.
function verify(rawBody, header, secret, nowS = Math.floor(Date.now() / 1000)) {
  const match = /^t=([0-9]+),v1=([0-9a-f]{64})$/.exec(header);
  if (!match) {
    return false;
  }
  const [, t, v1] = match;
  if (Math.abs(nowS - Number(t)) > TOLERANCE_S) {
    return false;
  }
  const expected = crypto.createHmac("sha256", secret).update(`${t}.`).update(rawBody).digest();
  return crypto.timingSafeEqual(expected, Buffer.from(v1, "hex"));
}

function fail(message) {
  console.error(`JavaScript: ${message}`);
  process.exit(1);
}

function changed(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}

// Every byte of a short body, some of a long one.
function places(body) {
  const step = Math.max(1, Math.floor(body.length / 500));
  return Array.from({ length: Math.ceil(body.length / step) }, (_, index) => index * step);
}

function check({ secret, headers, body: encoded }) {
  const body = Buffer.from(encoded, "base64");
  const header = headers[HEADER];
  const t = Number(/^t=([0-9]+),/.exec(header)?.[1]);
  const digest = header.split("v1=")[1];
  if (!verify(body, header, secret)) {
    fail(`a delivery does not verify: ${JSON.stringify(headers)} ${body.subarray(0, 200)}`);
  }
  if (!verify(body, header, secret, t + TOLERANCE_S) || !verify(body, header, secret, t - TOLERANCE_S)) {
    fail("a delivery of five minutes does not verify");
  }
  const refused = {
    "older than five minutes": verify(body, header, secret, t + TOLERANCE_S + 1),
    "from the future": verify(body, header, secret, t - TOLERANCE_S - 1),
    "with another time": verify(body, `t=${t + 1},v1=${digest}`, secret),
    "with another signature": verify(body, `t=${t},v1=${changed(Buffer.from(digest, "hex"), 0).toString("hex")}`, secret),
    "with another secret": verify(body, header, `${secret.slice(0, -1)}${secret.endsWith("0") ? "1" : "0"}`),
    "with the secret without its prefix": verify(body, header, secret.replace("whsec_", "")),
    "with the secret's bytes": verify(body, header, Buffer.from(secret.replace("whsec_", ""), "hex")),
    "with a byte more": verify(Buffer.concat([body, Buffer.from(" ")]), header, secret),
    "with a byte less": verify(body.subarray(0, -1), header, secret),
    "with a changed byte": places(body).some((at) => verify(changed(body, at), header, secret)),
  };
  for (const [what, accepted] of Object.entries(refused)) {
    if (accepted) {
      fail(`a delivery ${what} verifies`);
    }
  }
}

const deliveries = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
if (deliveries.length === 0) {
  fail("there is no delivery to verify");
}
deliveries.forEach(check);
console.log(`${deliveries.length} deliveries verify by the recipe for Node.js, and none that was changed, old or another's`);
