/** An adapter as the inputs of a swappable graph: parameters by input name, with the scale s multiplied in, tensors trained whole as PyTorch has them. */
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import { savedTensor } from "../adapter/to-folder.ts";
import type { Prepared } from "../prepare.ts";

/** What a prepared model starts with. */
export function startingParameters({ method, adapted, saved, statistics }: Prepared): Map<string, AdapterTensor> {
  const parameters = new Map<string, AdapterTensor>();
  for (const { weight, parameters: own } of adapted) {
    const { scale } = weight;
    method.parameters(weight).forEach(({ scalable }, i) => {
      const parameter = own[i];
      if (parameter === undefined) throw new TypeError("a parameter of the method that the part lacks");
      const { name, shape, start } = parameter;
      parameters.set(name, { shape, data: scalable && scale !== 1 ? start.map((v) => v * scale) : start });
    });
  }
  for (const trained of [...saved, ...statistics]) parameters.set(trained.name, savedTensor(trained, trained.start));
  return parameters;
}
