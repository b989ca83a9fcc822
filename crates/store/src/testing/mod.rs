//! Development aids: the memory model, the fault wrapper and the conformance suite.
