// Random bytes that repeat. For encrypted sessions see replay-tls.test.ts.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { asDatabaseUser, initDatabase, postgres } from "./database.ts";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";
import { expectDiffers, expectSame, record } from "./replays.ts";
import { eventually } from "./waiting.ts";

describe("PostgreSQL with SCRAM-SHA-256, replayed", () => {
  needsRoot("initdb", "postgres", "psql");

  test("the client alone, and the server alone", async ({ plg, folder }) => {
    const data = initDatabase(folder);
    const rules = ["10.0.0.0/24", "fd00::/8"].map((net) => `host all all ${net} scram-sha-256\n`);
    writeFileSync(join(data, "pg_hba.conf"), rules.join(""));
    const setPassword = `printf "alter user postgres password 'secret'" | ${asDatabaseUser} postgres --single -D ${data} postgres`;
    expectOk(await plg.run(["record", "-fsetup", setPassword]));
    const db = `db=exec ${asDatabaseUser} ${postgres(data)}`;
    // It listens a moment before it is ready: whoever comes then is sent away.
    const client =
      "client=sleep 1.5; PGPASSWORD=secret psql -h db -U postgres -Atc 'select 40 + 2'";
    const run = await record(plg, "--until=client", db, client);
    expect(linesOf(run, "client")).toEqual(["42"]);
    await expectSame(plg, "--only=client");
    await expectSame(plg, "--only=db");
  });
});

describe("random numbers of a program", () => {
  needs("python3");
  const program = `import ctypes, os, random, uuid, tempfile
print(os.urandom(8).hex(), uuid.uuid4(), random.random(), hash("a"), tempfile.mktemp(), os.getpid())
print(list(set("abcdefgh")))
# The vDSO's function, as the C library calls it: to ask for the size of a state, then for bytes.
vdso = ctypes.CDLL("linux-vdso.so.1")
if hasattr(vdso, "__vdso_getrandom"):
    draw = vdso["__vdso_getrandom"]
    draw.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_void_p, ctypes.c_size_t]
    bytes, state = ctypes.create_string_buffer(8), ctypes.create_string_buffer(64)
    print(draw(None, 0, 0, state, 2**64 - 1), draw(bytes, 8, 0, None, 0), bytes.raw.hex())`;

  test("follow from the seed, whatever else runs", async ({ plg, folder }) => {
    writeFileSync(join(folder, "numbers.py"), program);
    const numbers = async (...args: readonly string[]): Promise<string[]> => {
      const run = await plg.run(["record", "--until=one", ...args]);
      expectOk(run);
      return linesOf(run, "one");
    };
    const first = await numbers("--seed=7", "one=python3 numbers.py");
    expect(await numbers("--seed=7", "zero=sleep 60", "one=python3 numbers.py")).toEqual(first);
    expect(await numbers("--seed=8", "one=python3 numbers.py")).not.toEqual(first);
    expect(await numbers("--seed=7", "--no-seed", "one=python3 numbers.py")).not.toEqual(first);
    const shown = await plg.run(["show"]);
    expect(shown.stdout).not.toContain("random bytes");
    await numbers("--seed=7", "one=python3 numbers.py");
    expect((await plg.run(["show"])).stdout).toContain("random bytes follow from seed 7\n");
    const replayed = await expectSame(plg);
    expect(replayed.lines("one")).toEqual(first);
  });
});

describe("a process that waits for its child and for the child's output", () => {
  needs("python3");
  const program = `import os, select, signal, time
ends, end = os.pipe()
os.set_blocking(end, False)
signal.set_wakeup_fd(end)
signal.signal(signal.SIGCHLD, lambda *_: None)
seen = set()
for turn in range(20):
    output, its = os.pipe()
    if os.fork() == 0:
        os.dup2(its, 1)
        os.write(1, b"x")
        os._exit(0)
    os.close(its)
    poll = select.poll()
    for fd in (output, ends): poll.register(fd, select.POLLIN)
    order = ""
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if output in ready:
            order += "output " if os.read(output, 1) else "eof "
            if "eof" in order: poll.unregister(output)
        if ends in ready:
            os.read(ends, 9)
            order += "end "
        if "eof" in order and "end" in order: break
    os.wait()
    os.close(output)
    seen.add(order)
print(seen)
# A parent in vfork sleeps until its child exits, so nothing is held back.
start = time.monotonic()
for turn in range(20):
    try: os.posix_spawn("/missing", ["missing"], {})
    except OSError: pass
print(time.monotonic() - start < 4)`;

  test("sees the output, the child's end, and the end of the output", async ({ plg, folder }) => {
    writeFileSync(join(folder, "parent.py"), program);
    const run = await plg.run(["record", "one=python3 parent.py"]);
    expect(linesOf(run, "one")).toEqual(["{'output end eof '}", "True"]);
  });
});

describe("a program whose threads draw random numbers at the same place", () => {
  needs("python3", "nc");
  const program = `import os, threading, time
threads = [threading.Thread(target=os.urandom, args=[8]) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(time.monotonic_ns())`;

  test("is named when it differs", async ({ plg, folder }) => {
    writeFileSync(join(folder, "threads.py"), program);
    const client = "client=python3 threads.py | nc -N server 7000";
    await record(plg, "--until=client", "server=nc -l 7000", client);
    const { run } = await expectDiffers(plg, "client", "--only=client");
    const text = "client: several threads of python3 drew random numbers at the same place";
    expect(run.stderr).toContain(text);
  });
});

describe("the files of random numbers", () => {
  needs("/dev/fuse", "nc", "od", "dd", "mktemp");

  test("repeat for each process that reads them, in pieces of any size", async ({
    plg,
    folder,
  }) => {
    const script = `head -c 8 /dev/urandom | od -An -tx1
head -c 8 /dev/urandom | od -An -tx1
tr -dc a-z </dev/random | head -c 8; echo
dd if=/dev/urandom bs=1M count=2 iflag=fullblock status=none | cksum
echo more >/dev/urandom && echo written
cd /proc/sys/kernel/random && cat uuid uuid boot_id boot_id && head -c 100 uuid
node -e 'console.log(Math.random(), crypto.randomUUID())'
mktemp -u; bash -c 'echo $SRANDOM'`;
    writeFileSync(join(folder, "draw.sh"), script);
    const client = "client=sh draw.sh | nc -N server 7000";
    const run = await record(plg, "--until=client", "server=nc -l 7000", client);
    const lines = linesOf(run, "server");
    expect(lines).toHaveLength(13);
    expect(lines[0]).not.toBe(lines[1]);
    expect(lines[3]).toMatch(/ 2097152$/);
    const ids = lines.slice(5, 10);
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f-]{16}$/);
    expect(new Set(ids).size).toBe(4);
    expect(ids[2]).toBe(ids[3]);
    await expectSame(plg, "--only=client");
  });

  test("end for their readers when plg is killed", async ({ plg }) => {
    const run = plg.start(["record", "one=cat /dev/urandom >/dev/null & echo reading; wait"]);
    await run.prints(/reading/);
    run.kill("SIGKILL");
    await run.ended;
    await eventually("no reader is left", () => plg.leftovers().length === 0);
  });
});
