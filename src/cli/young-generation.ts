/**
 * V8's young generation stays as small as it begins. It grows to 48 MB otherwise, for objects that nobody reads any more: `adapt` of a 6 GB model had 119 MB instead of 91, `train` 335
 * instead of 310, and neither was faster. Imported first, since what is loaded behind it makes it grow.
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--semi-space-growth-factor=1");
