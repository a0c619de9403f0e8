// The learner's journey, by a client that openapi-typescript and openapi-fetch made from the schema.
// Run against a live server: SMARTCOURSE_URL says where it is, SMARTCOURSE_SEARCH which course to look for.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "./generated/api.js";

type Problem = components["schemas"]["Problem"];
type ProblemCode = components["schemas"]["ProblemCode"];

const { SMARTCOURSE_URL: baseUrl = "", SMARTCOURSE_SEARCH: search = "" } = process.env;
const email = `ts-${Date.now()}@example.org`;
const password = "a passphrase of mine, with spaces";

const api = createClient<paths>({ baseUrl });

/** Fails unless it was refused, and by that code; the compiler knows every code that there is. */
function refused(answer: { response: Response; error?: Problem }, status: number, code: ProblemCode): Problem {
  assert.equal(answer.response.status, status);
  assert.ok(answer.error);
  assert.equal(answer.error.code, code);
  assert.ok(answer.error.request_id.length > 0);
  return answer.error;
}

/** What a request gave; a refusal is an error with its code. */
function given<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status} ${answer.error?.code ?? ""}: ${answer.error?.detail ?? ""}`);
  }
  return answer.data;
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const began = Date.now(); Date.now() - began < 30_000; await sleep(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error("nothing after 30 seconds");
}

async function registerAndLogIn(): Promise<void> {
  const form = { email, password, full_name: "Tess Script" };
  const wrong = refused(await api.POST("/api/v1/auth/register", { body: { ...form, full_name: "T" } }), 400, "invalid");
  assert.equal(wrong.errors?.[0]?.field, "full_name");
  const person = given(await api.POST("/api/v1/auth/register", { body: form }));
  assert.deepEqual(person.roles, ["student"]);
  refused(await api.POST("/api/v1/auth/register", { body: form }), 409, "duplicate");

  refused(await api.GET("/api/v1/auth/me"), 401, "not_authenticated");
  const mistyped = { email, password: "something else" };
  refused(await api.POST("/api/v1/auth/login", { body: mistyped }), 401, "invalid_credentials");
  const signedIn = given(await api.POST("/api/v1/auth/login", { body: { email, password } }));
  // By bearer, or in cookies: the answer has one of two shapes, and the compiler wants to know which.
  if (!("access_token" in signedIn)) throw new Error("the tokens are in cookies");
  const authorization = `Bearer ${signedIn.access_token}`;
  const bearer: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", authorization);
    },
  };
  api.use(bearer);
}

async function enroll(): Promise<string> {
  const page = given(await api.GET("/api/v1/courses", { params: { query: { search } } }));
  const course = page.results[0];
  assert.ok(course, `no course is found by ${search}`);
  refused(await api.POST("/api/v1/enrollments", { body: { course_id: crypto.randomUUID() } }), 404, "not_found");

  const key = crypto.randomUUID();
  const send = () =>
    api.POST("/api/v1/enrollments", {
      body: { course_id: course.id },
      params: { header: { "Idempotency-Key": key } },
    });
  const first = await send();
  const enrollment = given(first);
  assert.equal(first.response.status, 201);
  assert.equal(enrollment.status, "PENDING");
  const again = await send();
  assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");
  assert.equal(given(again).id, enrollment.id);

  const path = { id: enrollment.id };
  await eventually(async () => {
    const now = given(await api.GET("/api/v1/enrollments/{id}", { params: { path } }));
    return now.status === "ACTIVE" ? now : undefined;
  });
  return enrollment.id;
}

async function study(enrollmentId: string): Promise<void> {
  const path = { id: enrollmentId };
  const progress = given(await api.GET("/api/v1/enrollments/{id}/progress", { params: { path } }));
  let percentage = 0;
  for (const lesson of progress.modules.flatMap((module) => module.lessons)) {
    const read = given(await api.GET("/api/v1/lessons/{id}", { params: { path: { id: lesson.id } } }));
    assert.ok(read.content);
    const done = given(await api.POST("/api/v1/lessons/{id}/complete", { params: { path: { id: lesson.id } } }));
    assert.ok(done.percentage > percentage);
    percentage = done.percentage;
  }
  assert.equal(percentage, 100);
}

async function certify(): Promise<void> {
  const certificate = await eventually(async () => given(await api.GET("/api/v1/certificates")).results[0]);
  assert.equal(certificate.recipient_name, "Tess Script");
  const path = { id: certificate.id };
  const pdf = given(await api.GET("/api/v1/certificates/{id}/pdf", { params: { path }, parseAs: "arrayBuffer" }));
  assert.equal(Buffer.from(pdf).subarray(0, 5).toString(), "%PDF-");
  const code = { code: certificate.code };
  const verified = given(await api.GET("/api/v1/certificates/verify/{code}", { params: { path: code } }));
  assert.deepEqual([verified.valid, verified.recipient_name], [true, "Tess Script"]);
  const unknown = { code: "NOTACODE" };
  refused(await api.GET("/api/v1/certificates/verify/{code}", { params: { path: unknown } }), 404, "not_found");
}

await registerAndLogIn();
await study(await enroll());
await certify();
