"""The rules that Troupe's BUILD files use.

    load("//bazel:troupe.bzl", "troupe_cc_library", "troupe_cc_test", "troupe_example")

troupe_cc_library(name, hdrs, srcs, deps)    a library; private unless `visibility` says otherwise.
    Header core/clock.h is included as "troupe/core/clock.h"; a header below the package keeps its folder
    (actors/internal/envelope.h is "troupe/actors/internal/envelope.h"). Only runtime/troupe.h, the umbrella, and the
    test kit ask for another place: include_prefix = "troupe" makes the one "troupe/troupe.h".
troupe_cc_test(name, srcs, deps)             a GoogleTest test, linked with gtest_main (gmock: add //bazel:gmock).
troupe_cc_binary(name, srcs, deps)           a program: a benchmark, a tool.
troupe_example(name)                         name.cc as a program, and name_test, which runs it and compares what it
    prints with name.expected; or `checker = "name_check.sh"`, a script that gets the file with the output as $1.
troupe_fuzz_test(name, corpus, deps)         name.cc with LLVMFuzzerTestOneInput, as a program (name + "er") and a test that
    runs it for a while, from the inputs in `corpus` on. Clang only.
troupe_compile_fail_test(name, srcs)         each file must NOT compile, neither with clang 19 nor with GCC 12, prints a
    single error, and every sentence in <file without .cc>.clang19.txt and .gcc12.txt must occur in what that compiler says
    (one sentence a line; blank lines and lines that start with # are skipped; white space counts once).
troupe_compile_test(name, src)               the counterpart: src compiles with both.

System libraries: //bazel:absl_base absl_strings absl_time absl_hash absl_containers absl_status absl_synchronization
tbb tbbmalloc gtest gmock benchmark benchmark_main. All rules treat warnings as errors.
"""

# -Wmissing-field-initializers would forbid designated initializers such as {.capacity = 64}.
_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wno-missing-field-initializers",
] + select({
    "//bazel:clang": [
        "-Wimplicit-fallthrough",
        "-Wthread-safety",
    ],
    "//conditions:default": [],
})

_IN_EVERY_PROGRAM = ["//bazel:tsan_suppressions"]

_PRIVATE = ["//visibility:private"]

# What includes troupe/troupe.h is compiled behind a precompiled header where .bazelrc asks for it.
def _prelude_deps(deps):
    return select({
        "//bazel:has_prelude_for_clang": ["//bazel:prelude"],
        "//bazel:has_prelude_for_gcc": ["//bazel:prelude"],
        "//conditions:default": [],
    }) if "//:troupe" in deps else []

def _prelude_copts(deps):
    return select({
        "//bazel:has_prelude_for_clang": ["-include-pch", "$(BINDIR)/bazel/prelude.pch"],
        "//bazel:has_prelude_for_gcc": ["-include", "$(BINDIR)/bazel/prelude.h", "-fpch-deps"],
        "//conditions:default": [],
    }) if "//:troupe" in deps else []

def troupe_cc_library(
        name,
        hdrs = [],
        srcs = [],
        deps = [],
        copts = [],
        include_prefix = None,
        visibility = _PRIVATE,
        **kwargs):
    """A C++ library whose headers are included as "troupe/<package>/<header>".

    Args:
      name: the target.
      hdrs: headers for those who depend on this target.
      srcs: sources, and headers that only these sources include.
      deps: what the headers and sources include.
      copts: compiler flags on top of the warnings.
      include_prefix: where the headers appear, if not in "troupe/<package>".
      visibility: who may depend on it; nobody outside the package unless said.
      **kwargs: handed to cc_library.
    """
    native.cc_library(
        name = name,
        hdrs = hdrs,
        srcs = srcs,
        deps = deps + _prelude_deps(deps),
        copts = _WARNINGS + copts + _prelude_copts(deps),
        include_prefix = include_prefix or "troupe/" + native.package_name(),
        linkstatic = True,  # nobody links Bazel's shared library of each target
        visibility = visibility,
        **kwargs
    )

def troupe_cc_test(name, srcs, deps = [], copts = [], size = "small", **kwargs):
    """A GoogleTest test. gtest_main is linked; `size` is "small" (60 s) unless said."""
    native.cc_test(
        name = name,
        srcs = srcs,
        deps = deps + ["//bazel:gtest_main"] + _IN_EVERY_PROGRAM + _prelude_deps(deps),
        copts = _WARNINGS + copts + _prelude_copts(deps),
        size = size,
        **kwargs
    )

def troupe_cc_binary(name, srcs, deps = [], copts = [], **kwargs):
    """A program."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        deps = deps + _IN_EVERY_PROGRAM + _prelude_deps(deps),
        copts = _WARNINGS + copts + _prelude_copts(deps),
        **kwargs
    )

def troupe_example(
        name,
        srcs = None,
        deps = ["//:troupe"],
        args = [],
        expected = None,
        checker = None,
        copts = [],
        size = "small",
        tags = [],
        **kwargs):
    """A program to read and run, and a test (<name>_test) which runs it and checks what it prints.

    Args:
      name: the program: `./bazelw run //examples:<name>`.
      srcs: its sources; <name>.cc unless said.
      deps: what it includes; all of Troupe unless said.
      args: arguments for the test's run.
      expected: file with the exact standard output; <name>.expected unless said.
      checker: a script instead of `expected`, for output that differs from run to run: called with the file that holds
        the standard output, it prints what is wrong and exits with 1.
      copts: compiler flags on top of the warnings.
      size: of the test.
      tags: of both.
      **kwargs: handed to cc_binary.
    """
    native.cc_binary(
        name = name,
        srcs = srcs or [name + ".cc"],
        deps = deps + _IN_EVERY_PROGRAM + _prelude_deps(deps),
        copts = _WARNINGS + copts + _prelude_copts(deps),
        tags = tags,
        **kwargs
    )
    judge = checker or expected or name + ".expected"
    native.sh_test(
        name = name + "_test",
        srcs = ["//bazel:check_output.sh"],
        args = [
            "--checker" if checker else "--expected",
            "$(rootpath %s)" % judge,
            "$(rootpath :%s)" % name,
        ] + args,
        data = [
            ":" + name,
            judge,
        ],
        size = size,
        tags = tags,
    )

def troupe_fuzz_test(name, corpus, runs, deps, size = "medium", tags = []):
    """A libFuzzer fuzzer, and a test that runs it. Its own source is instrumented everywhere, all with --config=fuzz.

    Args:
      name: the test; its source is name.cc, the program is name + "er".
      corpus: inputs to begin with.
      runs: of the test.
      deps: what the source includes.
      size: of the test.
      tags: of both.
    """
    fuzzer = name + "er"
    native.cc_binary(
        name = fuzzer,
        testonly = True,
        srcs = [
            name + ".cc",
            "expect.h",
        ],
        deps = deps + _IN_EVERY_PROGRAM,
        copts = _WARNINGS + ["-fsanitize=fuzzer-no-link"],  # with which the precompiled header does not fit
        linkopts = ["-fsanitize=fuzzer"],
        tags = tags + ["no_gcc12"],
    )
    native.sh_test(
        name = name,
        srcs = ["fuzz_test.sh"],
        args = [
            "$(rootpath :%s)" % fuzzer,
            str(runs),
        ] + ["$(rootpath %s)" % input for input in corpus],
        data = [":" + fuzzer] + corpus,
        size = size,
        tags = tags + ["no_gcc12"],
    )

def _header_tree_impl(ctx):
    headers = []
    directories = []
    for dep in ctx.attr.deps:
        context = dep[CcInfo].compilation_context
        headers.append(context.headers)
        directories += context.includes.to_list() + context.system_includes.to_list()

    # Header folders are made by the build, below bin_dir; in a test's folder they appear without it.
    generated = ctx.bin_dir.path + "/"
    flags = ctx.actions.declare_file(ctx.label.name + ".flags")
    ctx.actions.write(flags, "".join([
        "-I%s\n" % directory[len(generated):]
        for directory in directories
        if directory.startswith(generated)
    ]))
    files = depset([flags], transitive = headers)
    return [DefaultInfo(
        files = depset([flags]),
        runfiles = ctx.runfiles(transitive_files = files),
    )]

_header_tree = rule(
    implementation = _header_tree_impl,
    doc = "All headers that `deps` offer, as test data, and a file with the -I flags that find them.",
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)

def _compile_test(name, mode, args, data, deps, tags, **kwargs):
    _header_tree(
        name = name + "_headers",
        testonly = True,
        tags = ["manual"],
        deps = deps,
    )
    headers = ":%s_headers" % name
    native.sh_test(
        name = name,
        srcs = ["//bazel:check_compile.sh"],
        args = [mode, "$(rootpath %s)" % headers] + args,
        data = data + [headers],
        # It runs both compilers itself, so once is enough (see .bazelrc).
        tags = tags + ["any_compiler"],
        **kwargs
    )

def troupe_compile_fail_test(
        name,
        srcs,
        prelude = "troupe/troupe.h",
        deps = ["//:troupe"],
        tags = [],
        **kwargs):
    """Files that must not compile, and the sentences by which clang 19 and GCC 12 say why.

    Args:
      name: the test.
      srcs: the files; beside X.cc lie X.clang19.txt and X.gcc12.txt.
      prelude: a header that they include, compiled only once.
      deps: what they include; all of Troupe unless said.
      tags: of the test.
      **kwargs: handed to sh_test.
    """
    sentences = [
        src[:-len(".cc")] + suffix
        for src in srcs
        for suffix in [".clang19.txt", ".gcc12.txt"]
    ]
    _compile_test(
        name,
        "fails",
        [prelude] + ["$(rootpath %s)" % src for src in srcs],
        srcs + sentences,
        deps,
        tags,
        **kwargs
    )

def troupe_compile_test(name, src, deps = ["//:troupe"], tags = [], **kwargs):
    """The positive control of troupe_compile_fail_test: the file compiles with both compilers, without a warning."""
    _compile_test(name, "compiles", ["$(rootpath %s)" % src], [src], deps, tags, **kwargs)
