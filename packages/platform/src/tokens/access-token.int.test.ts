import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { accessTokenSeconds, type TenantId, tenantIdOf } from "@carillon/domain";
import { freePort } from "@carillon/testkit";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type AccessClaims, accessTokenVerifier, ownTokenVerifier, signAccessToken } from "./access-token.ts";
import { publicKey, type SigningKey, signingKeys } from "./signing-keys.ts";

const claims: AccessClaims = {
  sub: "system:test",
  tid: tenantIdOf("riverside-high"),
  roles: ["teacher"],
  sid: "session",
  region: "local",
};

let key: SigningKey;
/** What is published beside `key`. */
let others: SigningKey[] = [];
let server: Server;
let url: string;
let broken = false;

beforeAll(async () => {
  key = await newKey("current");
  server = createServer((request, response) => {
    if (broken || request.url === "/broken") response.writeHead(500).end();
    else
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ keys: [key, ...others].map(publicKey) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function newKey(kid: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  return { ...(await exportJWK(privateKey)), kty: "OKP", kid };
}

test("a token says who it speaks for, to everybody that has the public keys", async () => {
  expect(await accessTokenVerifier(url)(signAccessToken(key, claims, new Date()))).toEqual(claims);
});

test("a token ends after its time", async () => {
  const verify = accessTokenVerifier(url);
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
  await expect(verify(signAccessToken(key, claims, ago(accessTokenSeconds + 1)))).rejects.toMatchObject({
    code: "token_expired",
  });
  await expect(verify(signAccessToken(key, claims, ago(accessTokenSeconds - 10)))).resolves.toEqual(claims);
});

test("a token is refused that is no token, another's, under an unknown key, or without claims", async () => {
  const verify = accessTokenVerifier(url);
  const impostor = { ...(await newKey("other")), kid: key.kid };
  const unsigned = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify(claims))}.`;
  const wrongTenant = { ...claims, tid: "riverside" as TenantId };
  const tokens = [
    "nonsense",
    unsigned,
    signAccessToken(impostor, claims, new Date()),
    signAccessToken(await newKey("unknown"), claims, new Date()),
    signAccessToken(key, wrongTenant, new Date()),
    await new SignJWT({})
      .setProtectedHeader({ alg: "HS256", kid: key.kid })
      .sign(new TextEncoder().encode(key.x)),
  ];
  for (const token of tokens) await expect(verify(token)).rejects.toMatchObject({ code: "token_invalid" });
});

test("where the keys cannot be fetched, the token is not blamed", async () => {
  const token = signAccessToken(key, claims, new Date());
  for (const nowhere of [`${url}/broken`, `http://127.0.0.1:${await freePort()}`]) {
    await expect(accessTokenVerifier(nowhere)(token)).rejects.toMatchObject({ code: "unavailable" });
  }
});

test("a new key is fetched when a token brings it, and the old one's tokens stay valid", async () => {
  const verify = accessTokenVerifier(url);
  const before = signAccessToken(key, claims, new Date());
  await verify(before);
  const next = await newKey("next");
  others = [next];
  onTestFinished(() => {
    others = [];
  });
  const after = signAccessToken(next, claims, new Date());
  await expect.poll(() => verify(after).catch(() => undefined)).toEqual(claims);
  expect(await verify(before)).toEqual(claims);
});

test("keys that are known hold while none can be fetched; for an unknown one the token is not blamed", async () => {
  const verify = accessTokenVerifier(url);
  const token = signAccessToken(key, claims, new Date());
  await verify(token);
  broken = true;
  onTestFinished(() => {
    broken = false;
  });
  const unknown = signAccessToken(await newKey("unknown"), claims, new Date());
  await expect.poll(() => verify(unknown).catch(({ code }) => code)).toBe("unavailable");
  expect(await verify(token)).toEqual(claims);
});

test("the process that signs checks by its own keys", async () => {
  const verify = ownTokenVerifier(signingKeys([key]));
  expect(await verify(signAccessToken(key, claims, new Date()))).toEqual(claims);
  for (const bad of [await newKey("unknown"), { ...(await newKey("x")), kid: key.kid }]) {
    await expect(verify(signAccessToken(bad, claims, new Date()))).rejects.toMatchObject({
      code: "token_invalid",
    });
  }
});
