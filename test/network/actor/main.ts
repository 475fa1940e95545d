/**
 * Plays one role in some scenarios, one after the other, in one family and then in the other.
 * Arguments: the role, a folder, and as JSON who is where in each family, and the scenarios' names.
 */
import { join } from "node:path";
import { scenarios } from "./scenarios.ts";
import { type Places, type Role, Stage } from "./stage.ts";

const [role = "", folder = "", placesText = "[]", namesText = "[]"] = process.argv.slice(2);
const names = JSON.parse(namesText) as string[];
for (const places of JSON.parse(placesText) as Places[]) {
  const stage = new Stage(role as Role, places, join(folder, `${names[0]}-${places.family}`));
  for (const name of names) {
    const scene = scenarios.findIndex((candidate) => candidate.name === name);
    stage.play(name, scene, (empty) => scenarios[scene]?.[role as Role](empty));
  }
}
