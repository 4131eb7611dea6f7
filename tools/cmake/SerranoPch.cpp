// Compiled only so that there is a target to own the precompiled header.
