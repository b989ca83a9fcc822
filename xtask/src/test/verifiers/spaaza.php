<?php
// Verifies Spaaza deliveries as a receiver written in PHP does. Usage: php spaaza.php FILE
//
// FILE holds a JSON array of {secret, refuses, headers, body (base64)}. With a secret, a delivery must be accepted as it
// came, and refused once anything of it was changed and by whoever knows another secret; without one it must be
// recognised as not signed.

declare(strict_types=1);

const HEADER = 'x-spaaza-hmac-sha256';

// The receiver's recipe: base64 of HMAC-SHA256 over the raw body, keyed with the shared secret as it stands.
function verify(string $rawBody, ?string $header, string $secret): bool
{
    if ($header === null) {
        return false;
    }
    $expected = base64_encode(hash_hmac('sha256', $rawBody, $secret, true));
    return hash_equals($expected, $header);
}

function fail(string $message): never
{
    fwrite(STDERR, "PHP: $message\n");
    exit(1);
}

function changed(string $body, int $at): string
{
    $body[$at] = chr(ord($body[$at]) ^ 1);
    return $body;
}

function anyChangeVerifies(string $body, string $header, string $secret): bool
{
    // Every byte of a short body, some of a long one.
    $step = max(1, intdiv(strlen($body), 500));
    for ($at = 0; $at < strlen($body); $at += $step) {
        if (verify(changed($body, $at), $header, $secret)) {
            return true;
        }
    }
    return false;
}

function checkSigned(array $delivery, string $body): void
{
    $secret = $delivery['secret'];
    $header = $delivery['headers'][HEADER] ?? null;
    if (!verify($body, $header, $secret)) {
        fail('a delivery does not verify: ' . json_encode($delivery['headers']) . ' ' . substr($body, 0, 200));
    }
    $refused = [
        'without its header' => verify($body, null, $secret),
        'with an empty header' => verify($body, '', $secret),
        'without its padding' => verify($body, rtrim($header, '='), $secret),
        'with another signature' => verify($body, ($header[0] === 'A' ? 'B' : 'A') . substr($header, 1), $secret),
        'with the bytes that the secret encodes' => verify($body, $header, hex2bin($secret)),
        'with the secret in capitals' => verify($body, $header, strtoupper($secret) . (ctype_digit($secret) ? 'A' : '')),
        'with a byte more' => verify($body . ' ', $header, $secret),
        'with a byte less' => verify(substr($body, 0, -1), $header, $secret),
        'with a changed byte' => anyChangeVerifies($body, $header, $secret),
    ];
    foreach ($delivery['refuses'] as $other) {
        $refused["with another secret, $other"] = verify($body, $header, $other);
    }
    foreach ($refused as $what => $accepted) {
        if ($accepted) {
            fail("a delivery $what verifies");
        }
    }
}

$deliveries = json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR);
$signed = 0;
foreach ($deliveries as $delivery) {
    $body = base64_decode($delivery['body'], true);
    if ($delivery['secret'] !== null) {
        checkSigned($delivery, $body);
        $signed += 1;
    } elseif (array_key_exists(HEADER, $delivery['headers'])) {
        fail('a delivery that nobody signs has a signature: ' . json_encode($delivery['headers']));
    }
}
$unsigned = count($deliveries) - $signed;
if ($signed === 0 || $unsigned === 0) {
    fail("expected deliveries of both kinds, got $signed signed and $unsigned unsigned ones");
}
echo "$signed deliveries verify by the recipe for PHP, none that was changed or another's, and $unsigned are not signed\n";
