// A game that people play: the recorded client, alone with its recording, ends with the same
// picture.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needsRoot } from "./machine.ts";
import { test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

/** It refuses to run as root, and keeps things in its home. */
const surroundings = `export LC_ALL=C NO_AT_BRIDGE=1 XDG_RUNTIME_DIR=$PWD`;

// It begins when the player is there. A small map, the same each time.
const server = `${surroundings} HOME=$PWD/server-home
mkdir -p server-home
(until grep -q 'has connected' server.log; do sleep 0.1; done; sleep 1; echo start; exec sleep 1000) |
  freeciv-server -p 5556 -r settings -s saves > server.log 2>&1
`;
const settings = ["gameseed 42", "mapseed 42", "aifill 3", "size 1", "timeout 0", "nettimeout 0"]
  .concat(["pingtime 300", "pingtimeout 600"])
  .map((setting) => `set ${setting}\n`)
  .join("");

/** Of 2.4 or 3.1 million in a picture. The figure of a unit has 64 times 48 pixels. */
const mostBlinkingBytes = 20_000;
/** The server has sent the whole game. */
const gameBytes = 200_000;

// A screen that nobody sees, with a window manager that gives each window the same place every
// time. Its picture is taken as $2, after $1 seconds at the earliest, once the game has been
// received and is at rest: it has read everything, sleeps in poll(2), has used less than a tenth of
// the last second, and three pictures in a row are nearly the same. The chosen unit goes on
// blinking. A dialog is closed, because the window manager does not put it in the same place every
// time.
const client = `${surroundings} HOME=$PWD/home
received() { sed 's/:/ /' /proc/net/dev | awk '$1 != "lo" { bytes += $2 } END { print bytes + 0 }'; }
unread() { awk '$2 ~ /:15B4$/ || $3 ~ /:15B4$/ { sub(/.*:/, "", $5); print $5 }' /proc/net/tcp /proc/net/tcp6; }
used() { awk '{ print $14 + $15 }' /proc/$game/stat; }
polls() { grep -q poll /proc/$game/wchan; }
looks_the_same() { [ -s $2 ] && [ $(cmp -l $1 $2 | wc -l) -le ${mostBlinkingBytes} ]; }
rm -rf home $2 && mkdir -p home/.config/gtk-3.0
printf '[Settings]\\ngtk-cursor-blink=0\\n' > home/.config/gtk-3.0/settings.ini
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3> display > screen.log 2>&1 &
screen=$!
until [ -s display ]; do sleep 0.05; done
export DISPLAY=:$(cat display)
matchbox-window-manager 2> manager.log &
freeciv-gtk3.22 -a -n tester -s server -p 5556 > client.log 2>&1 &
game=$!
sleep $1
rest=0
for try in $(seq 60); do
  kill -0 $game || break
  wmctrl -c 'Popup Request'
  before=$(used)
  sleep 1
  xwd -root -silent > $2.new
  if [ $(received) -ge ${gameBytes} ] && [ "$(unread)" = 00000000 ] && polls && [ $(($(used) - before)) -lt 10 ] &&
    looks_the_same $2.new $2
  then rest=$((rest + 1)); else rest=0; fi
  mv $2.new $2
  [ $rest -ge 2 ] && break
done
[ $rest -ge 2 ] || echo "never at rest: $(received) bytes received, $(cat /proc/$game/stat)"
kill $game; wait $game
kill $screen; wait $screen
`;
const playSeconds = 8;

/** The client's command: plays, and leaves the last picture in this file. */
function play(picture: string): string {
  return `client=rm -f display; sh client.sh ${playSeconds} ${picture} 2>/dev/null`;
}

describe("freeciv, replayed", () => {
  // The game runs as nobody, whose files only root can take away.
  needsRoot(
    "freeciv-server",
    "freeciv-gtk3.22",
    "matchbox-window-manager",
    "wmctrl",
    "Xvfb",
    "xwd",
  );

  test("the client alone, at the recorded pace, shows the recorded game", async ({
    plg,
    folder,
  }) => {
    chmodSync(folder, 0o777);
    writeFileSync(join(folder, "server.sh"), server);
    writeFileSync(join(folder, "client.sh"), client);
    writeFileSync(join(folder, "settings"), settings);
    const run = await record(
      plg,
      "--uid=nobody",
      "--until=client",
      "server=sh server.sh",
      play("recorded.xwd"),
    );
    expect(run.stderr).toMatch(/recorded 1 connection, 20\d kB/);

    // It names a file to prove that it is on the server's machine, in letters that it draws.
    const challenge = "--ignore=client:5556/\\x00\\xa0\\x01[A-Za-z0-9]+/";
    // How long the game takes to be at rest is different each time. It reads the clock 160,000
    // times, which takes most of a minute on a busy machine if the clock is the recorded one.
    const alone = ["--uid=nobody", "--only=client", "--patience=30s", "--clock=real"];
    const again = await expectSame(plg, ...alone, "--speed=1", challenge, play("replayed.xwd"));
    expect(again.report.total).toBeGreaterThan(20);
    const [recorded, replayed] = [
      readPixels(join(folder, "recorded.xwd")),
      readPixels(join(folder, "replayed.xwd")),
    ];
    // It shows something: a map and menus have many colours.
    expect(new Set(recorded).size).toBeGreaterThan(1000);
    // All but the blinking unit is the same. GTK may place the map some pixels lower, so the colors
    // are counted instead of compared place by place.
    expect(replayed.length).toBe(recorded.length);
    expect(replacedColors(recorded, replayed)).toBeLessThan(0.02 * recorded.length);

    // Without a pace all comes at once; the client still has the time that it had.
    const { report } = await expectSame(plg, ...alone, challenge, play("hurried.xwd"));
    expect(report.commands.filter(({ stopped }) => stopped)).toEqual([]);
    expect(report.durationMs).toBeGreaterThan(1000 * playSeconds);
  });
});

/** A picture's pixels, in hexadecimal. Its header says where they are (X11/XWDFile.h). */
function readPixels(path: string): readonly string[] {
  const picture = readFileSync(path);
  const field = (number: number): number => picture.readUInt32BE(4 * number);
  const [headerBytes, width, height, pixelBits] = [field(0), field(4), field(5), field(11)];
  const [rowBytes, colors] = [field(12), field(19)];
  const at = headerBytes + 12 * colors;
  const pixel = new RegExp(`.{${pixelBits / 4}}`, "g");
  return Array.from({ length: height }, (_, row) => {
    const from = at + row * rowBytes;
    return picture.toString("hex", from, from + (width * pixelBits) / 8).match(pixel) ?? [];
  }).flat();
}

/** How many pixels of one picture have a color that the other one has less often. */
function replacedColors(one: readonly string[], other: readonly string[]): number {
  const missing = new Map<string, number>();
  for (const color of one) missing.set(color, (missing.get(color) ?? 0) + 1);
  for (const color of other) missing.set(color, (missing.get(color) ?? 0) - 1);
  return [...missing.values()].reduce((sum, count) => sum + Math.max(0, count), 0);
}
