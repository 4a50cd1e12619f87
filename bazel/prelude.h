// What nearly every test and example includes, to be compiled once (prelude.bzl).
#include "gtest/gtest.h"
#include "troupe/troupe.h"
