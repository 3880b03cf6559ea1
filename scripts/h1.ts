import { inputOf, judge, Scratch } from "../test/fuzz/judge.ts";
import { readersOf } from "../test/fuzz/readers.ts";
import { makeSeeds } from "../test/fuzz/seeds.ts";
const [name, index, seed = "1"] = process.argv.slice(2);
for (const r of readersOf(await makeSeeds())) if (r.name === name) {
  const s = new Scratch(`/dev/shm/h1/${r.name}`); s.place(inputOf(r, Number(seed), Number(index)), true);
  const v = await judge(r, s.folder); if (v.kind === "finding") { Error.stackTraceLimit = 60; console.log((v.error as Error).stack); } else console.log(v);
}
