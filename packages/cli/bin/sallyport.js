#!/usr/bin/env node
// A file that is committed, not built: npm links a command when it installs, and on a fresh clone nothing is built by then.
import "../dist/bin.js";
